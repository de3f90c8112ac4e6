/** What the warehouse knows of the customer: each part says of which day it is. Without the warehouse it says so. */
import { Box, Chip, Link as MuiLink, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import type { Insights as Known } from '../../api/types'
import { date, dateTime, percent } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import type { ListName } from '../inbox/lists'
import { Fact, Facts, Section } from './Parts'

const BANDS = { low: 'success', medium: 'warning', high: 'error' } as const
const MOODS = { negative: 'error', neutral: 'default', positive: 'success', mixed: 'warning' } as const

export function Insights({ customerId, list }: { customerId: string; list: ListName }) {
  const { t: d } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['customer', customerId, 'insights'],
    staleTime: 300_000,
    queryFn: ({ signal }) =>
      data(
        api.GET('/api/v1/customers/{customer_id}/insights', { params: { path: { customer_id: customerId } }, signal }),
      ),
  })
  return (
    <Section title={d('panel.insights')}>
      {asked.isPending ? (
        <Loading />
      ) : asked.isError ? (
        <Failed error={asked.error} onRetry={() => void asked.refetch()} />
      ) : !asked.data.available ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {d('panel.away')}
        </Typography>
      ) : (
        <Told known={asked.data} list={list} />
      )}
    </Section>
  )
}

function Told({ known, list }: { known: Known; list: ListName }) {
  const { t: d, i18n } = useTranslation('desk')
  const { churn, value, habits, moods, segments } = known
  if (!churn && !value && !habits && moods.length === 0 && segments.length === 0) {
    return (
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {d('panel.nothing')}
      </Typography>
    )
  }
  return (
    <Stack sx={{ gap: 1.5 }}>
      {churn && (
        <Box>
          <Stack direction="row" sx={{ gap: 1, alignItems: 'center', flexWrap: 'wrap' }}>
            <Typography variant="body2">{d('panel.churn')}</Typography>
            <Chip size="small" variant="outlined" color={BANDS[churn.band]} label={d(`panel.${churn.band}`)} />
            <Typography variant="body2">
              {d('panel.churn_in', { share: percent(churn.probability, i18n.language), days: churn.horizon_days })}
            </Typography>
          </Stack>
          {churn.reasons.length > 0 && (
            <Box component="ul" sx={{ m: 0, pl: 2.5, typography: 'body2' }}>
              {churn.reasons.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </Box>
          )}
          <Fresh at={date(churn.as_of, i18n.language)} />
        </Box>
      )}
      {value && (
        <Box>
          <Facts>
            <Fact name={d('panel.value')}>
              {d('panel.value_of', { tier: value.tier, score: Math.round(value.score) })}
            </Fact>
            <Fact name={d('panel.group')}>{value.group}</Fact>
          </Facts>
          <Fresh at={date(value.as_of, i18n.language)} />
        </Box>
      )}
      {habits && (
        <Box>
          <Facts>
            <Fact name={d('panel.habits')}>{d('panel.contacts', { count: habits.contacts_30d })}</Fact>
            <Fact name={d('panel.tickets')}>{habits.tickets_open}</Fact>
            {habits.satisfaction_90d !== null && (
              <Fact name={d('panel.satisfaction')}>
                {habits.satisfaction_90d.toLocaleString(i18n.language, { maximumFractionDigits: 1 })}
              </Fact>
            )}
          </Facts>
          <Fresh at={date(habits.as_of, i18n.language)} />
        </Box>
      )}
      {moods.length > 0 && (
        <Box>
          <Typography variant="body2">{d('panel.moods')}</Typography>
          <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap', mt: 0.5 }}>
            {moods.map((mood) => {
              const label = mood.label as keyof typeof MOODS
              return (
                <MuiLink
                  key={mood.conversation_id}
                  component={Link}
                  href={`/${list}/${mood.conversation_id}`}
                  underline="none"
                >
                  <Chip
                    size="small"
                    variant="outlined"
                    color={MOODS[label] ?? 'default'}
                    label={`${date(mood.day, i18n.language)}: ${d(`panel.${label}`)}`}
                    sx={{ cursor: 'pointer' }}
                  />
                </MuiLink>
              )
            })}
          </Stack>
        </Box>
      )}
      {segments.length > 0 && (
        <Box>
          <Typography variant="body2">{d('panel.segments')}</Typography>
          <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap', mt: 0.5 }}>
            {segments.map((one) => (
              <Chip key={one.segment_id} size="small" variant="outlined" label={one.name} />
            ))}
          </Stack>
          {known.segments_as_of && <Fresh at={dateTime(known.segments_as_of, i18n.language)} />}
        </Box>
      )}
    </Stack>
  )
}

function Fresh({ at }: { at: string }) {
  const { t: d } = useTranslation('desk')
  return (
    <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
      {d('panel.as_of', { at })}
    </Typography>
  )
}
