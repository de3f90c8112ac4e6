/** The test: what it says in words, its figures, how they went, whether the arms are right, guardrails, what was decided and on what. */
import { Alert, AlertTitle, Box, List, ListItem, ListItemText, Paper, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import { problemOf } from '../../../api/problem'
import { Listing } from '../../../shared/admin/Listing'
import { dateTime } from '../../../shared/format'
import { Empty, Failed, Loading } from '../../../shared/States'
import type { Campaign } from '../plan'
import { isLive } from '../states'
import { useDecided } from './useDecided'
import { ratios, type Test, verdictOf } from './verdict'

const ReadOutCharts = lazy(() => import('./ReadOutCharts'))
const LIVE_MS = 10_000
const READ = { isPending: false, isError: false, error: null, refetch: () => undefined }

export function ReadOut({ campaign }: { campaign: Campaign }) {
  const { t, i18n } = useTranslation('campaigns')
  const refetchInterval = isLive(campaign.state) ? LIVE_MS : (false as const)
  const path = { campaign_id: campaign.id }
  const asked = useQuery({
    queryKey: ['campaign', campaign.id, 'experiment'],
    refetchInterval,
    retry: false,
    queryFn: ({ signal }) => data(api.GET('/api/v1/campaigns/{campaign_id}/experiment', { params: { path }, signal })),
  })
  const series = useQuery({
    queryKey: ['campaign', campaign.id, 'experiment', 'series'],
    enabled: asked.isSuccess,
    refetchInterval,
    retry: false,
    queryFn: async ({ signal }) =>
      (await data(api.GET('/api/v1/campaigns/{campaign_id}/experiment/series', { params: { path }, signal }))).items,
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) {
    if (problemOf(asked.error).code === 'nothing_to_compare') {
      return <Empty title={t('test.nothing')}>{t('test.nothing_help')}</Empty>
    }
    return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  }
  const test = asked.data
  const verdict = verdictOf(test, i18n.language)
  return (
    <Stack sx={{ gap: 2 }}>
      <Alert severity={verdict.severity} role="status">
        <AlertTitle>{t(`verdict.${verdict.key}.title`, verdict.values)}</AlertTitle>
        {t(`verdict.${verdict.key}.text`, verdict.values)}
      </Alert>
      <Arms test={test} />
      {series.isError ? (
        <Failed error={series.error} onRetry={() => void series.refetch()} />
      ) : series.data && series.data.length > 0 ? (
        <Suspense fallback={<Loading />}>
          <ReadOutCharts points={series.data} metric={test.metric} />
        </Suspense>
      ) : (
        series.isSuccess && <Typography variant="body2">{t('test.no_series')}</Typography>
      )}
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'repeat(auto-fit, minmax(min(320px, 100%), 1fr))' }}>
        <Guards test={test} />
        <Decisions campaign={campaign} refetchInterval={refetchInterval} />
      </Box>
    </Stack>
  )
}

function Arms({ test }: { test: Test }) {
  const { t, i18n } = useTranslation('campaigns')
  const number = (value: number | null) => value?.toLocaleString(i18n.language) ?? '–'
  const share = (value: number | null) =>
    value === null
      ? '–'
      : new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 }).format(value)
  const expected = new Map(ratios(test).map((one) => [one.variant, one.expected]))
  const against = new Map(test.differences.map((one) => [one.worse, one]))
  const points = (value: number) =>
    new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(value * 100)
  return (
    <Listing
      label={t('test.arms')}
      reading={READ}
      rows={test.arms}
      keyOf={(one) => one.variant}
      nameOf={(one) => one.variant}
      empty={t('test.nothing')}
      columns={[
        {
          label: t('funnel.variant'),
          show: (one) => <strong>{one.control ? t('people.states.control') : one.variant.toUpperCase()}</strong>,
        },
        { label: t('test.units'), show: (one) => number(one.n) },
        { label: t('test.expected'), show: (one) => number(expected.get(one.variant) ?? null) },
        {
          label: t(`metric.${test.metric as 'reply'}`, { defaultValue: test.metric }),
          show: (one) => number(one.successes),
        },
        { label: t('test.rate'), show: (one) => share(one.rate) },
        { label: t('test.opt_outs'), show: (one) => number(one.opt_outs) },
        {
          label: t('test.against', { name: test.best.toUpperCase() }),
          show: (one) => {
            const pair = against.get(one.variant)
            if (!pair) return one.variant === test.best ? t('test.leads') : '–'
            return t('test.interval', {
              difference: points(-pair.difference),
              low: points(-pair.high),
              high: points(-pair.low),
            })
          },
        },
      ]}
    />
  )
}

function Guards({ test }: { test: Test }) {
  const { t, i18n } = useTranslation('campaigns')
  const figure = (value: number, digits: number) =>
    new Intl.NumberFormat(i18n.language, { maximumFractionDigits: digits }).format(value)
  const wrong = test.mismatch_p < 0.001
  const looked = test.differences.filter((one) => one.harm_high !== null)
  return (
    <Paper variant="outlined" component="section" aria-label={t('test.guards')} sx={{ p: 2 }}>
      <Typography component="h3" sx={{ fontWeight: 700, mb: 1 }}>
        {t('test.guards')}
      </Typography>
      <Stack sx={{ gap: 1 }}>
        <Alert severity={wrong ? 'error' : 'success'}>
          {t(wrong ? 'test.mismatch' : 'test.no_mismatch', { p: figure(test.mismatch_p, 4) })}
        </Alert>
        {looked.length === 0 && (
          <Alert severity="info">{t('test.guard_later', { margin: figure(test.margin * 100, 1) })}</Alert>
        )}
        {looked.map((one) => {
          const harm = one.harm_high ?? 0
          return (
            <Alert key={one.worse} severity={harm < test.margin ? 'success' : 'warning'}>
              {t(harm < test.margin ? 'test.guard_kept' : 'test.guard_open', {
                better: one.better.toUpperCase(),
                worse: one.worse.toUpperCase(),
                harm: figure(harm * 100, 2),
                margin: figure(test.margin * 100, 1),
              })}
            </Alert>
          )
        })}
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('test.rule', { alpha: figure(test.alpha * 100, 1), effect: figure(test.effect * 100, 1) })}
        </Typography>
      </Stack>
    </Paper>
  )
}

function Decisions({ campaign, refetchInterval }: { campaign: Campaign; refetchInterval: number | false }) {
  const { t, i18n } = useTranslation('campaigns')
  const decided = useDecided()
  const asked = useQuery({
    queryKey: ['campaign', campaign.id, 'decisions'],
    refetchInterval,
    queryFn: async ({ signal }) => {
      const params = { path: { campaign_id: campaign.id } }
      return (await data(api.GET('/api/v1/campaigns/{campaign_id}/decisions', { params, signal }))).items
    },
  })
  return (
    <Paper variant="outlined" component="section" aria-label={t('test.decisions')} sx={{ p: 2, minWidth: 0 }}>
      <Typography component="h3" sx={{ fontWeight: 700, mb: 1 }}>
        {t('test.decisions')}
      </Typography>
      {asked.isError && <Failed error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data?.length === 0 && <Typography variant="body2">{t('test.no_decisions')}</Typography>}
      <List dense disablePadding>
        {asked.data?.map((one) => (
          <ListItem key={one.id} disableGutters divider sx={{ display: 'block' }}>
            <ListItemText
              primary={decided(one.rule, one.outcome, one.evidence)}
              secondary={dateTime(one.decided_at, i18n.language)}
            />
            <Box component="details" sx={{ fontSize: 13 }}>
              <summary>{t('test.evidence')}</summary>
              <Box
                component="pre"
                tabIndex={0}
                sx={{ m: 0, p: 1, overflowX: 'auto', bgcolor: 'action.hover', borderRadius: 1 }}
              >
                {JSON.stringify(one.evidence, null, 2)}
              </Box>
            </Box>
          </ListItem>
        ))}
      </List>
    </Paper>
  )
}
