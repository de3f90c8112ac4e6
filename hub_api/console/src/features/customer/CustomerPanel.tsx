/** What the hub knows of the customer, and his other conversations. */
import { Avatar, Box, Chip, IconButton, Link as MuiLink, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { UserRound, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import type { Conversation, Customer } from '../../api/types'
import { useMay } from '../../app/session'
import { dateTime, initials, languageName } from '../../shared/format'
import { Empty, Failed, Loading } from '../../shared/States'
import type { ListName } from '../inbox/lists'
import { StateChip } from '../inbox/StateChip'
import { Campaigns } from './Campaigns'
import { Consents } from './Consents'
import { Insights } from './Insights'
import { Fact, Facts, Section } from './Parts'
import { Summary } from './Summary'
import { ThisTalk } from './ThisTalk'

interface Props {
  customerId: string
  conversation: Conversation
  list: ListName
  onClose: () => void
}

const OTHERS = 20

export function CustomerPanel({ customerId, conversation, list, onClose }: Props) {
  const { t } = useTranslation()
  const may = useMay('customers:read')
  const asked = useQuery({
    // What is answered to the survey while one looks makes the panel ask again.
    queryKey: ['customer', customerId, conversation.satisfaction, conversation.nps],
    enabled: may,
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/customers/{customer_id}', { params: { path: { customer_id: customerId } }, signal })),
  })
  return (
    <Box sx={{ p: 2, display: 'flex', flexDirection: 'column', gap: 2 }}>
      <Stack direction="row" sx={{ alignItems: 'center' }}>
        <Typography component="h3" sx={{ flex: 1, fontWeight: 700 }}>
          {t('customer.title')}
        </Typography>
        <IconButton size="small" onClick={onClose} aria-label={t('customer.hide')}>
          <X size={18} />
        </IconButton>
      </Stack>
      {!may ? (
        <Empty title={t('customer.not_allowed')} />
      ) : asked.isPending ? (
        <Loading />
      ) : asked.isError ? (
        <Failed error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Known customer={asked.data} list={list} />
      )}
      <ThisTalk conversation={conversation} list={list} />
      {conversation.ai_summary && (
        <Section title={t('customer.summary')}>
          <Summary conversation={conversation} />
        </Section>
      )}
      {may && <Insights customerId={customerId} list={list} />}
      {may && <Consents customerId={customerId} />}
      {may && <Campaigns customerId={customerId} />}
      <Others customerId={customerId} openId={conversation.id} list={list} />
    </Box>
  )
}

function Known({ customer, list }: { customer: Customer; list: ListName }) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const details = Object.entries(customer.metadata).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  )
  return (
    <>
      <Stack sx={{ alignItems: 'center', gap: 0.5 }}>
        <Avatar aria-hidden sx={{ width: 56, height: 56, bgcolor: 'secondary.main', color: 'background.paper' }}>
          {customer.name ? initials(customer.name) : <UserRound />}
        </Avatar>
        <Typography sx={{ fontWeight: 600 }}>{customer.name ?? t('customer.nameless')}</Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {customer.phone ?? (customer.username ? `@${customer.username}` : t('customer.no_phone'))}
        </Typography>
        <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap', justifyContent: 'center' }}>
          {customer.tags.map((tag) => (
            <Chip key={tag} size="small" variant="outlined" label={tag} />
          ))}
        </Stack>
      </Stack>
      <Facts>
        <Fact name={t('customer.status')}>{customer.status === 'active' ? t('customer.active') : customer.status}</Fact>
        {customer.state_code && <Fact name={t('customer.uf')}>{customer.state_code}</Fact>}
        <Fact name={t('customer.language')}>{languageName(customer.language, i18n.language)}</Fact>
        <Fact name={t('customer.since')}>{dateTime(customer.created_at, i18n.language)}</Fact>
        {details.map(([name, value]) => (
          <Fact key={name} name={name}>
            {String(value)}
          </Fact>
        ))}
      </Facts>
      {(customer.satisfaction || customer.nps) && (
        <Section title={d('survey.title')}>
          <Facts>
            {customer.satisfaction && (
              <Fact name={d('survey.last_rating')}>
                <Answered answer={customer.satisfaction} words="survey.rating_of" list={list} />
              </Fact>
            )}
            {customer.nps && (
              <Fact name={d('survey.last_nps')}>
                <Answered answer={customer.nps} words="survey.nps_of" list={list} />
              </Fact>
            )}
          </Facts>
        </Section>
      )}
      {customer.identities.length > 0 && (
        <Section title={d('panel.identities')}>
          <Facts>
            {customer.identities.map((one) => (
              <Fact key={one.kind + one.value + one.valid_from} name={d(`panel.${one.kind}`)}>
                {one.value}{' '}
                <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                  {one.valid_to ? d('panel.until', { at: dateTime(one.valid_to, i18n.language) }) : d('panel.now')}
                </Typography>
              </Fact>
            ))}
          </Facts>
        </Section>
      )}
    </>
  )
}

/** What the customer said last, which leads to the conversation after which it was said. */
function Answered({
  answer,
  words,
  list,
}: {
  answer: NonNullable<Customer['nps']>
  words: 'survey.rating_of' | 'survey.nps_of'
  list: ListName
}) {
  const { t: d, i18n } = useTranslation('desk')
  return (
    <MuiLink component={Link} href={`/${list}/${answer.conversation_id}`} underline="hover">
      {d(words, { value: answer.value, at: dateTime(answer.at, i18n.language) })}
    </MuiLink>
  )
}

function Others({ customerId, openId, list }: { customerId: string; openId: string; list: ListName }) {
  const { t: d, i18n } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['customer', customerId, 'conversations'],
    staleTime: 30_000,
    queryFn: async ({ signal }) =>
      (
        await data(
          api.GET('/api/v1/conversations', { params: { query: { customer_id: customerId, limit: OTHERS } }, signal }),
        )
      ).items,
  })
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (!asked.data || asked.data.length < 2) return null
  return (
    <Section title={d('panel.history')}>
      {asked.data.map((one) => (
        <MuiLink
          key={one.id}
          component={Link}
          href={`/${list}/${one.id}`}
          underline="hover"
          sx={{ display: 'flex', gap: 1, py: 0.5, alignItems: 'center' }}
        >
          <Typography variant="body2" sx={{ flex: 1 }}>
            {dateTime(one.opened_at, i18n.language)}
            {one.id === openId && ` · ${d('panel.this')}`}
          </Typography>
          <StateChip state={one.state} isMine={false} />
        </MuiLink>
      ))}
    </Section>
  )
}
