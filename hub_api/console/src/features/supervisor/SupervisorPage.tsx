/** What is going on: queues with their lines, people with their load, and a hand in both. */
import { Box, Chip, Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../app/session'
import { useBoard } from '../../live/boards'
import { useConnected } from '../../live/useLive'
import { Page } from '../../shared/admin/Page'
import { useDeeds } from '../../shared/admin/useAdmin'
import { Refused, Unreached } from '../../shared/Board'
import { Empty, Loading } from '../../shared/States'
import { useNow } from '../../shared/useNow'
import { AgentCard } from './AgentCard'
import { QueueCard } from './QueueCard'

const PRESENT_FIRST = { online: 0, away: 1, break: 2, offline: 3 } as const

export default function SupervisorPage() {
  const { t } = useTranslation('boards')
  const queues = useBoard('queue')
  const people = useBoard('presence')
  const connected = useConnected()
  const seesPeople = useMay('agents:read')
  const now = useNow(1000)
  const deeds = useDeeds(['conversations'])
  if (queues.refused) return <Refused />
  if (!queues.data) return connected ? <Loading /> : <Unreached />
  const agents = [...(people.data?.agents ?? [])].sort(
    (a, b) => PRESENT_FIRST[a.presence] - PRESENT_FIRST[b.presence] || b.load - a.load || a.name.localeCompare(b.name),
  )
  const sum = (name: 'waiting' | 'in_service' | 'at_risk' | 'breached') =>
    queues.data?.queues.reduce((total, one) => total + one[name], 0) ?? 0
  const online = agents.filter((one) => one.presence === 'online')
  return (
    <Page
      title={t('supervisor.title')}
      subtitle={t('supervisor.subtitle')}
      actions={
        <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }} role="status" aria-label={t('supervisor.totals')}>
          {!connected && <Chip color="warning" label={t('stale')} />}
          <Chip label={t('totals.waiting', { count: sum('waiting') })} />
          <Chip label={t('totals.in_service', { count: sum('in_service') })} />
          <Chip label={t('totals.at_risk', { count: sum('at_risk') })} color={sum('at_risk') ? 'warning' : 'default'} />
          <Chip
            label={t('totals.breached', { count: sum('breached') })}
            color={sum('breached') ? 'error' : 'default'}
          />
        </Stack>
      }
    >
      <Box
        sx={{
          display: 'grid',
          gap: 3,
          alignItems: 'start',
          gridTemplateColumns: { xs: '1fr', lg: 'minmax(0,3fr) minmax(0,2fr)' },
        }}
      >
        <Box component="section" aria-labelledby="queues-title">
          <Typography id="queues-title" component="h3" variant="h6" sx={{ mb: 1 }}>
            {t('supervisor.queues')}
          </Typography>
          {queues.data.queues.length === 0 ? (
            <Empty title={t('supervisor.no_queues')} />
          ) : (
            <Stack sx={{ gap: 1.5 }}>
              {queues.data.queues.map((one) => (
                <QueueCard key={one.id} queue={one} now={now} deeds={deeds} />
              ))}
            </Stack>
          )}
        </Box>
        {seesPeople && (
          <Box component="section" aria-labelledby="agents-title">
            <Typography id="agents-title" component="h3" variant="h6" sx={{ mb: 1 }}>
              {t('supervisor.agents', { online: online.length, all: agents.length })}
            </Typography>
            {people.refused ? (
              <Refused />
            ) : !people.data ? (
              <Loading />
            ) : agents.length === 0 ? (
              <Empty title={t('supervisor.no_agents')} />
            ) : (
              <Stack sx={{ gap: 1 }} component="ul" aria-labelledby="agents-title" style={{ padding: 0, margin: 0 }}>
                {agents.map((one) => (
                  <AgentCard key={one.user_id} agent={one} now={now} deeds={deeds} />
                ))}
              </Stack>
            )}
          </Box>
        )}
      </Box>
      {deeds.shown}
    </Page>
  )
}
