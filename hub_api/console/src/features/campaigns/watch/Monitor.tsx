/** A campaign as it goes, by itself: how far, how fast, how late, what it cost, what failed; paused and resumed with one button. */
import {
  Alert,
  Box,
  Button,
  LinearProgress,
  List,
  ListItem,
  ListItemText,
  Paper,
  Stack,
  Typography,
} from '@mui/material'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Pause, Play } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import { date, dateTime, duration, money, percent } from '../../../shared/format'
import { Empty, Failed, Loading } from '../../../shared/States'
import { channelWords } from '../../../shared/words'
import type { Campaign } from '../plan'
import { reasonKey } from '../reasons'
import { isLive, type Verb } from '../states'
import { Tile } from '../wizard/ReviewStep'
import { Funnel } from './Funnel'
import { cumulative, type Monitored, progressOf } from './figures'
import { Waits } from './Waits'

const FunnelChart = lazy(() => import('./FunnelChart'))
const WATCH_MS = 1_500
const RESULTS_MS = 10_000

interface Props {
  campaign: Campaign
  may: Verb[]
  take: (verb: Verb) => void
}

export function Monitor({ campaign, may, take }: Props) {
  const { t } = useTranslation('campaigns')
  const live = isLive(campaign.state)
  const path = { campaign_id: campaign.id }
  const watched = useQuery({
    queryKey: ['campaign', campaign.id, 'monitor'],
    refetchInterval: live ? WATCH_MS : false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => data(api.GET('/api/v1/campaigns/{campaign_id}/monitor', { params: { path }, signal })),
  })
  const results = useQuery({
    queryKey: ['campaign', campaign.id, 'results'],
    refetchInterval: live ? RESULTS_MS : false,
    retry: false,
    queryFn: ({ signal }) => data(api.GET('/api/v1/campaigns/{campaign_id}/results', { params: { path }, signal })),
  })
  if (watched.isPending) return <Loading />
  if (watched.isError && !watched.data) return <Failed error={watched.error} onRetry={() => void watched.refetch()} />
  const now = watched.data
  if (!now) return <Loading />
  if (!now.run && !live) return <Empty title={t('monitor.not_begun')} />
  const total = results.data?.total
  return (
    <Stack sx={{ gap: 2 }}>
      {watched.isError && <Alert severity="warning">{t('monitor.old')}</Alert>}
      <Head now={now} may={may} take={take} />
      <Pace now={now}>
        {total && (
          <>
            <Tile name={t('monitor.cost')} value={cost(total.cost_micros, total.cost_currency)} />
            <Tile name={t('monitor.opt_outs')} value={String(total.opted_out)} />
          </>
        )}
      </Pace>
      {results.isError ? (
        <Failed error={results.error} onRetry={() => void results.refetch()} />
      ) : results.data ? (
        <>
          <Funnel results={results.data} />
          {cumulative(results.data.series).length > 1 && (
            <Suspense fallback={<Loading />}>
              <FunnelChart series={cumulative(results.data.series)} />
            </Suspense>
          )}
        </>
      ) : (
        <Loading />
      )}
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'repeat(auto-fit, minmax(min(320px, 100%), 1fr))' }}>
        <Failures now={now} />
        <LeftOut now={now} />
        <Frozen now={now} />
      </Box>
    </Stack>
  )
}

function cost(micros: number, currency: string): string {
  return currency ? money(micros / 1e6, currency, document.documentElement.lang) : '–'
}

function Head({ now, may, take }: { now: Monitored } & Pick<Props, 'may' | 'take'>) {
  const { t, i18n } = useTranslation('campaigns')
  const share = progressOf(now)
  const { run } = now
  const number = (value: number) => value.toLocaleString(i18n.language)
  const words = !run
    ? t('monitor.waits')
    : run.state === 'freezing'
      ? t('monitor.freezing', { number: number(run.read_so_far) })
      : t('monitor.turns', { turns: number(run.turns), eligible: number(run.eligible ?? 0) })
  const verb = may.find((one) => one === 'pause' || one === 'resume')
  return (
    <Paper variant="outlined" sx={{ p: 2 }}>
      <Stack direction="row" sx={{ gap: 2, alignItems: 'center', flexWrap: 'wrap' }}>
        <Box sx={{ flex: '1 1 260px', minWidth: 0 }}>
          <Typography sx={{ fontWeight: 600 }} role="status">
            {words}
            {share !== null && ` (${percent(share, i18n.language)})`}
          </Typography>
          <LinearProgress
            variant={share === null ? 'indeterminate' : 'determinate'}
            value={(share ?? 0) * 100}
            aria-label={t('monitor.progress')}
            color={now.state === 'paused' ? 'warning' : 'primary'}
            sx={{ height: 10, borderRadius: 5, my: 1 }}
          />
          {now.state === 'paused' && (
            <Typography variant="body2">{t('monitor.held', { count: now.held, number: number(now.held) })}</Typography>
          )}
          {run?.promoted && (
            <Typography variant="body2">{t('monitor.promoted', { name: run.promoted.toUpperCase() })}</Typography>
          )}
          <Waits now={now} />
          {run?.failure && <Alert severity="error">{run.failure}</Alert>}
        </Box>
        {verb && (
          <Button
            size="large"
            variant="contained"
            color={verb === 'pause' ? 'warning' : 'success'}
            startIcon={verb === 'pause' ? <Pause size={24} /> : <Play size={24} />}
            onClick={() => take(verb)}
            sx={{ minWidth: { xs: '100%', sm: 180 }, minHeight: 64, fontSize: 18 }}
          >
            {t(`verb.${verb}`)}
          </Button>
        )}
      </Stack>
    </Paper>
  )
}

function Pace({ now, children }: { now: Monitored; children: React.ReactNode }) {
  const { t, i18n } = useTranslation('campaigns')
  const number = (value: number) => value.toLocaleString(i18n.language)
  const states = now.recipients
  return (
    <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: 'repeat(auto-fit, minmax(min(150px, 100%), 1fr))' }}>
      <Tile name={t('monitor.rate')} value={t('monitor.per_minute', { number: number(now.last_minute) })}>
        {now.last_sent_at && t('monitor.last_sent', { at: dateTime(now.last_sent_at, i18n.language) })}
      </Tile>
      <Tile
        name={t('monitor.lag')}
        value={
          now.lag_s < 60
            ? t('monitor.seconds', { number: number(Math.round(now.lag_s)) })
            : duration(now.lag_s * 1000, i18n.language)
        }
      >
        {now.next_turn_at && t('monitor.next_turn', { at: dateTime(now.next_turn_at, i18n.language) })}
      </Tile>
      <Tile name={t('monitor.waiting')} value={number((states.pending ?? 0) + (states.queued ?? 0))}>
        {t('monitor.in_outbox', { number: number(states.queued ?? 0) })}
      </Tile>
      <Tile name={t('monitor.failed')} value={number((states.failed ?? 0) + (states.unknown ?? 0))}>
        {(states.unknown ?? 0) > 0 && t('monitor.unknown', { number: number(states.unknown ?? 0) })}
      </Tile>
      {children}
    </Box>
  )
}

function Panel({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2, minWidth: 0 }}>
      <Typography component="h3" sx={{ fontWeight: 700, mb: 1 }}>
        {title}
      </Typography>
      {children}
    </Paper>
  )
}

function Failures({ now }: { now: Monitored }) {
  const { t, i18n } = useTranslation('campaigns')
  const { t: common } = useTranslation()
  return (
    <Panel title={t('monitor.failures')}>
      {now.failures.length === 0 && <Typography variant="body2">{t('monitor.no_failures')}</Typography>}
      <List dense disablePadding>
        {now.failures.map((one) => (
          <ListItem key={String(one.error_code)} disableGutters>
            <ListItemText
              primary={
                one.error_code === null
                  ? t('monitor.no_answer')
                  : `${one.error_code}: ${channelWords(one.error_code, one.meaning, common)}`
              }
              secondary={t(one.retryable ? 'monitor.retryable' : 'monitor.final')}
            />
            <Typography sx={{ fontWeight: 600 }}>{one.recipients.toLocaleString(i18n.language)}</Typography>
          </ListItem>
        ))}
      </List>
    </Panel>
  )
}

function LeftOut({ now }: { now: Monitored }) {
  const { t, i18n } = useTranslation('campaigns')
  const reasons = Object.entries(now.excluded)
  return (
    <Panel title={t('review.excluded')}>
      {reasons.length === 0 && <Typography variant="body2">{t('review.nobody_excluded')}</Typography>}
      <List dense disablePadding>
        {reasons.map(([reason, count]) => (
          <ListItem key={reason} disableGutters>
            <ListItemText primary={t(`reason.${reasonKey(reason)}`, { defaultValue: reason })} />
            <Typography sx={{ fontWeight: 600 }}>{count.toLocaleString(i18n.language)}</Typography>
          </ListItem>
        ))}
      </List>
    </Panel>
  )
}

function Frozen({ now }: { now: Monitored }) {
  const { t, i18n } = useTranslation('campaigns')
  const { run } = now
  if (!run) return null
  return (
    <Panel title={t('monitor.frozen')}>
      <Typography variant="body2">{t(`run.${run.state}`)}</Typography>
      {run.members !== null && (
        <Typography variant="body2">
          {t('monitor.members', { number: run.members.toLocaleString(i18n.language) })}
        </Typography>
      )}
      {run.frozen_at && (
        <Typography variant="body2">
          {t('monitor.frozen_at', { at: dateTime(run.frozen_at, i18n.language) })}
        </Typography>
      )}
      {run.as_of && (
        <Typography variant="body2">{t('monitor.data_of', { day: date(run.as_of, i18n.language) })}</Typography>
      )}
      {run.members_sha256 && (
        <Typography variant="caption" sx={{ overflowWrap: 'anywhere', color: 'text.secondary' }}>
          SHA-256 {run.members_sha256}
        </Typography>
      )}
    </Panel>
  )
}
