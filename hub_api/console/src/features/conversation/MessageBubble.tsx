/** One message of the conversation, of whoever and of whatever type. */
import { Alert, Box, Button, Chip, Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Message } from '../../api/types'
import { useMay, useMe } from '../../app/session'
import { time } from '../../shared/format'
import { useColleagues } from '../../shared/useColleagues'
import { channelWords } from '../../shared/words'
import { Bubble } from './Bubble'
import { Content } from './content/Content'
import { MessageActions } from './MessageActions'
import { outbox } from './outbox'
import { Ticks } from './Ticks'

interface Props {
  conversationId: string
  message: Message
  quoted: Message | null
  customerName: string | null
}

export function MessageBubble({ conversationId, message: one, quoted, customerName }: Props) {
  const { t, i18n } = useTranslation()
  const me = useMe()
  const mayWrite = useMay('conversations:write')
  const colleagues = useColleagues()
  if (one.type === 'system') return <Notice text={one.content ?? ''} />
  const isOut = one.direction === 'out'
  const author = isOut
    ? one.author_id === me.id
      ? t('author.me')
      : ((one.author_id && colleagues.get(one.author_id)?.name) ?? t(`author.${one.author}`))
    : (customerName ?? t('customer.nameless'))
  const tone = !isOut ? 'in' : one.author === 'agent' || one.author === 'phone_app' ? 'out' : 'bot'
  const reactions = Object.entries(one.reactions as Record<string, { emoji?: string }>).filter(([, put]) => put.emoji)
  const foot = (
    <>
      {one.edited_at && !one.revoked_at && <Typography variant="caption">{t('message.edited')}</Typography>}
      <Typography variant="caption" component="time" dateTime={one.created_at}>
        {time(one.created_at, i18n.language)}
      </Typography>
      {isOut && <Ticks message={one} />}
    </>
  )
  const below = (
    <>
      {reactions.length > 0 && (
        <Stack direction="row" sx={{ gap: 0.5, mt: -0.75, zIndex: 1 }}>
          {reactions.map(([who, put]) => (
            <Chip
              key={who}
              size="small"
              label={put.emoji}
              sx={{ bgcolor: 'background.paper', border: 1, borderColor: 'divider' }}
            />
          ))}
        </Stack>
      )}
      {one.state === 'failed' && <Failure message={one} conversationId={conversationId} />}
    </>
  )
  const mine = (one.reactions as Record<string, { emoji?: string }>).business?.emoji ?? null
  const beside = mayWrite && !one.revoked_at && isKnown(one) && (
    <MessageActions conversationId={conversationId} message={one} mine={mine} />
  )
  return (
    <Bubble side={one.direction} tone={tone} author={author} foot={foot} below={below} beside={beside}>
      {quoted && <Quote message={quoted} />}
      {one.revoked_at ? (
        <Typography sx={{ fontStyle: 'italic', color: 'text.secondary' }}>{t('message.revoked')}</Typography>
      ) : (
        <Content message={one} />
      )}
    </Bubble>
  )
}

/** Whether the channel knows it, so that another message may quote it. */
function isKnown(one: Message): boolean {
  return one.direction === 'in' || ['accepted', 'sent', 'delivered', 'read', 'played'].includes(one.state)
}

/** Why the channel did not deliver it; a text can be sent anew. */
function Failure({ message: one, conversationId }: { message: Message; conversationId: string }) {
  const { t } = useTranslation()
  const me = useMe()
  const said = one.error_code ? channelWords(one.error_code, one.error_title, t) : one.error_title
  const why = [said, one.error_code && `(${one.error_code})`].filter(Boolean).join(' ')
  const text = one.type === 'text' && one.author_id === me.id ? one.content : null
  const again = text && (
    <Button color="inherit" size="small" onClick={() => void outbox.write(conversationId, text)}>
      {t('message.send_anew')}
    </Button>
  )
  return (
    <Alert severity="error" sx={{ mt: 0.5, maxWidth: 560 }} action={again}>
      {t('message.failed', { why: why || t('message.no_reason') })}
    </Alert>
  )
}

function Quote({ message: one }: { message: Message }) {
  const { t } = useTranslation()
  return (
    <Box sx={{ borderLeft: 3, borderColor: 'primary.main', pl: 1, mb: 0.5, color: 'text.secondary' }}>
      <Typography variant="caption" component="div" sx={{ fontWeight: 600 }}>
        {t(`author.${one.author}`)}
      </Typography>
      <Typography variant="body2" noWrap>
        {one.revoked_at ? t('message.revoked') : one.content}
      </Typography>
    </Box>
  )
}

function Notice({ text }: { text: string }) {
  return (
    <Box sx={{ px: 3, py: 0.75, textAlign: 'center' }}>
      <Typography
        variant="caption"
        sx={{ display: 'inline-block', px: 1.5, py: 0.5, borderRadius: 2, bgcolor: 'bubble.notice' }}
      >
        {text}
      </Typography>
    </Box>
  )
}
