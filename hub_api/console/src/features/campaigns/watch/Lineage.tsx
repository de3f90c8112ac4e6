/** Why this person received this message, and what became of it: from the audience's frozen list to the goals. */
import { Alert, Box, Link as MuiLink, Paper, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../../api/client'
import type { components } from '../../../api/schema'
import { useMay } from '../../../app/session'
import { Page } from '../../../shared/admin/Page'
import { date, dateTime, money } from '../../../shared/format'
import { Failed, Loading } from '../../../shared/States'
import { list, number, text } from '../../conversation/content/payload'
import { eventsOf, type LineageEvent } from './lineageEvents'
import { Fact } from './PlanView'
import { useDecided } from './useDecided'

type Lineage = components['schemas']['Lineage']

export function Lineage({ messageId }: { messageId: string }) {
  const { t } = useTranslation('campaigns')
  const asked = useQuery({
    queryKey: ['lineage', messageId],
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/messages/{message_id}/lineage', { params: { path: { message_id: messageId } }, signal })),
  })
  return (
    <Page title={t('lineage.title')} subtitle={t('lineage.subtitle')}>
      {asked.isPending ? (
        <Loading />
      ) : asked.isError ? (
        <Failed error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Stack sx={{ gap: 2 }}>
          <Why told={asked.data} />
          <Became told={asked.data} />
        </Stack>
      )}
    </Page>
  )
}

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2 }}>
      <Typography component="h3" sx={{ fontWeight: 700, mb: 1 }}>
        {title}
      </Typography>
      {children}
    </Paper>
  )
}

function Facts({ children }: { children: ReactNode }) {
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        display: 'grid',
        columnGap: 2,
        rowGap: 1,
        gridTemplateColumns: { xs: '1fr', sm: '200px minmax(0, 1fr)' },
      }}
    >
      {children}
    </Box>
  )
}

/** Who got it, as far as the reader may know; a person who was erased is an id. */
function useCustomer(id: string): string {
  const asked = useQuery({
    queryKey: ['customer', id],
    enabled: useMay('customers:read'),
    retry: false,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/customers/{customer_id}', { params: { path: { customer_id: id } }, signal })),
  })
  return asked.data?.name ?? id
}

function Why({ told }: { told: Lineage }) {
  const { t, i18n } = useTranslation('campaigns')
  const customer = useCustomer(told.customer_id)
  const audience = told.audience ?? {}
  const decided = useDecided()
  const name = text(audience.campaign)
  const [asOf, frozenAt, hash, members] = [
    text(audience.as_of),
    text(audience.frozen_at),
    text(audience.members_sha256),
    number(audience.members),
  ]
  const consent = told.consent.find((one) => one.scope === (told.category ?? 'marketing')) ?? told.consent[0]
  return (
    <Panel title={t('lineage.why')}>
      {!told.audience && (
        <Alert severity="info" sx={{ mb: 1 }}>
          {t('lineage.no_audience')}
        </Alert>
      )}
      <Facts>
        {told.campaign_id && (
          <Fact name={t('lineage.campaign')}>
            <MuiLink component={Link} href={`/campaigns/${told.campaign_id}`}>
              {name ?? told.campaign_id}
            </MuiLink>
          </Fact>
        )}
        {members !== null && (
          <Fact name={t('lineage.list')}>
            {t('lineage.list_of', {
              number: members.toLocaleString(i18n.language),
              at: frozenAt ? dateTime(frozenAt, i18n.language) : '–',
            })}
            {asOf && ` · ${t('monitor.data_of', { day: date(asOf, i18n.language) })}`}
            {hash && (
              <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                SHA-256 {hash}
              </Typography>
            )}
          </Fact>
        )}
        {told.variant && (
          <Fact name={t('funnel.variant')}>
            {told.variant.toUpperCase()}
            {told.assignment &&
              ` · ${t('lineage.assigned', { at: dateTime(told.assignment.assigned_at, i18n.language) })}`}
            {list(audience.decisions).map((one) => (
              <Box key={`${text(one.decided_at)} ${text(one.rule)}`}>
                {decided(text(one.rule) ?? '', text(one.outcome) ?? '', one.evidence)}
                {` · ${dateTime(text(one.decided_at) ?? '', i18n.language)}`}
              </Box>
            ))}
          </Fact>
        )}
        {told.template && <Fact name={t('message.template')}>{told.template}</Fact>}
        <Fact name={t('lineage.consent')}>
          {consent
            ? t(consent.granted ? 'lineage.granted' : 'lineage.refused', {
                source: t(`lineage.sources.${consent.source as 'agent'}`, { defaultValue: consent.source }),
                at: dateTime(consent.occurred_at, i18n.language),
              })
            : t('lineage.no_consent')}
        </Fact>
        {told.cost_micros !== null && told.cost_currency && (
          <Fact name={t('monitor.cost')}>
            {new Intl.NumberFormat(i18n.language, {
              style: 'currency',
              currency: told.cost_currency,
              maximumFractionDigits: 4,
            }).format(told.cost_micros / 1e6)}
          </Fact>
        )}
        <Fact name={t('people.customer')}>{customer}</Fact>
      </Facts>
    </Panel>
  )
}

function Became({ told }: { told: Lineage }) {
  const { t, i18n } = useTranslation('campaigns')
  const words = (one: LineageEvent): string => {
    switch (one.kind) {
      case 'status':
        return t(`lineage.state.${one.state as 'sent'}`, { defaultValue: one.state })
      case 'click':
        return t('lineage.clicked', { name: one.name, count: one.count })
      case 'goal':
        return [
          t(one.counts ? 'lineage.goal' : 'lineage.goal_not', {
            kind: t(`goal.kinds.${one.name as 'reply'}`, { defaultValue: one.name }),
          }),
          one.value ? money(one.value / 1e6, one.currency, i18n.language) : '',
        ]
          .filter(Boolean)
          .join(' · ')
      default:
        return t(`lineage.${one.kind}`)
    }
  }
  return (
    <Panel title={t('lineage.became')}>
      {told.error_code !== null && <Alert severity="error">{t('people.code', { code: told.error_code })}</Alert>}
      <Box component="ol" sx={{ m: 0, pl: 0, listStyle: 'none' }}>
        {eventsOf(told).map((one) => (
          <Box
            component="li"
            key={`${one.at} ${words(one)}`}
            sx={{ borderLeft: 3, borderColor: one.kind === 'goal' ? 'success.main' : 'divider', pl: 1.5, py: 0.75 }}
          >
            <Typography variant="body2" sx={{ fontWeight: 600 }}>
              {words(one)}
            </Typography>
            <Typography variant="caption" sx={{ color: 'text.secondary' }}>
              {dateTime(one.at, i18n.language)}
            </Typography>
          </Box>
        ))}
      </Box>
    </Panel>
  )
}
