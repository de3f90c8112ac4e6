/** What a message says, by its type. Whatever we have no form for is told by the words that the hub wrote for it. */
import { Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Message } from '../../../api/types'
import { FormattedText } from '../FormattedText'
import { Contacts, FlowAnswer, Order, Place, Referral, Tapped } from './Carried'
import { Interactive } from './Interactive'
import { MediaFiles } from './MediaFiles'
import { carried, object, text } from './payload'

export function Content({ message: one }: { message: Message }) {
  const referral = object(one.payload).referral
  return (
    <Stack sx={{ gap: 0.75 }}>
      {referral ? <Referral referral={object(referral)} /> : null}
      <Body message={one} />
    </Stack>
  )
}

function Body({ message: one }: { message: Message }) {
  const { t } = useTranslation()
  const body = carried(one)
  if (one.media?.length)
    return <MediaFiles files={one.media} caption={text(body.caption)} isVoice={body.voice === true} />
  const kind = one.direction === 'in' ? text(body.carries) : one.type
  switch (kind) {
    case 'location':
      return <Place place={body} />
    case 'contacts':
      return <Contacts payload={one.direction === 'in' ? body.cards : object(one.payload).contacts} />
    case 'choice':
      return <Tapped choice={body} />
    case 'flow_reply':
      return <FlowAnswer reply={body} words={one.content} />
    case 'order':
      return <Order order={body} />
    case 'interactive':
      return <Interactive body={body} words={one.content} />
    case 'template':
      return (
        <>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {t('message.template', { name: text(body.name) ?? '' })}
          </Typography>
          <FormattedText text={one.content ?? ''} />
        </>
      )
    case 'unsupported':
    case 'unknown':
      return <Typography sx={{ fontStyle: 'italic', color: 'text.secondary' }}>{one.content}</Typography>
    default:
      return one.content ? (
        <FormattedText text={one.content} />
      ) : (
        <Typography sx={{ fontStyle: 'italic' }}>{t('message.no_words')}</Typography>
      )
  }
}
