/** Somebody who serves customers: what he is and since when, how full his hands are, and what can be done about it. */
import { Box, Chip, IconButton, LinearProgress, Menu, MenuItem, Paper, Stack, Tooltip, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { EllipsisVertical } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import type { AgentState } from '../../live/boards'
import { FormDialog, type Values } from '../../shared/admin/FormDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { fromLevels, levels, list, words } from '../../shared/admin/values'
import { Failed } from '../../shared/States'
import { lasting } from '../../shared/since'
import { AgentTalks } from './AgentTalks'

const COLOURS = { online: 'success', away: 'warning', break: 'info', offline: 'default' } as const

interface Props {
  agent: AgentState
  now: number
  deeds: ReturnType<typeof useDeeds>
}

export function AgentCard({ agent, now, deeds }: Props) {
  const { t, i18n } = useTranslation('boards')
  const changes = useMay('agents:write')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const choose = (deed: () => void) => () => {
    setAnchor(null)
    deed()
  }
  const send = (presence: 'away' | 'break' | 'offline', values: Values) =>
    data(
      api.PUT('/api/v1/agents/{user_id}/presence', {
        params: { path: { user_id: agent.user_id } },
        body: { presence, reason: words(values.reason) },
      }),
    ).then(() => deeds.done(t('agent.sent', { name: agent.name })))
  const askWhy = (presence: 'away' | 'break' | 'offline') =>
    deeds.open(
      <FormDialog
        title={t(`agent.make_${presence}`)}
        text={t(presence === 'offline' ? 'agent.offline_help' : 'agent.away_help', { name: agent.name })}
        fields={
          presence === 'break' ? [{ name: 'reason', label: t('agent.reason'), required: true, maxLength: 100 }] : []
        }
        confirm={t('confirm')}
        onSubmit={(values) => send(presence, values)}
        onClose={deeds.close}
      />,
    )
  const full = agent.capacity > 0 ? Math.min(100, (100 * agent.load) / agent.capacity) : agent.load > 0 ? 100 : 0
  return (
    <Paper variant="outlined" component="li" aria-label={agent.name} sx={{ p: 1.5, listStyle: 'none' }}>
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1 }}>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Typography sx={{ fontWeight: 600 }} noWrap>
            {agent.name}
          </Typography>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {agent.since ? t('agent.since', { time: lasting(agent.since, now, i18n.language) }) : t('agent.never')}
            {agent.reason && agent.reason !== 'connection_lost' ? ` · ${agent.reason}` : ''}
            {agent.reason === 'connection_lost' ? ` · ${t('agent.lost')}` : ''}
          </Typography>
        </Box>
        <Chip size="small" color={COLOURS[agent.presence]} label={t(`presence.${agent.presence}`)} />
        <Tooltip title={t('agent.deeds', { name: agent.name })}>
          <IconButton
            size="small"
            aria-label={t('agent.deeds', { name: agent.name })}
            aria-haspopup="menu"
            onClick={(event) => setAnchor(event.currentTarget)}
          >
            <EllipsisVertical size={18} />
          </IconButton>
        </Tooltip>
      </Stack>
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, mt: 0.5 }}>
        <LinearProgress
          variant="determinate"
          value={full}
          color={full >= 100 ? 'warning' : 'primary'}
          aria-label={t('agent.load_of', { name: agent.name })}
          sx={{ flex: 1, height: 8, borderRadius: 4, bgcolor: 'action.disabledBackground' }}
        />
        <Typography variant="body2" sx={{ fontVariantNumeric: 'tabular-nums' }}>
          {t('agent.load', { load: agent.load, capacity: agent.capacity })}
        </Typography>
      </Stack>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)} disablePortal={false}>
        <MenuItem onClick={choose(() => deeds.open(<AgentTalks agent={agent} deeds={deeds} />))}>
          {t('agent.talks')}
        </MenuItem>
        {changes && (
          <MenuItem onClick={choose(() => deeds.open(<Capacity agent={agent} deeds={deeds} />))}>
            {t('agent.capacity')}
          </MenuItem>
        )}
        {changes &&
          (['away', 'break', 'offline'] as const)
            .filter((one) => agent.presence !== 'offline' && one !== agent.presence)
            .map((one) => (
              <MenuItem key={one} onClick={choose(() => askWhy(one))}>
                {t(`agent.make_${one}`)}
              </MenuItem>
            ))}
      </Menu>
    </Paper>
  )
}

/** What he can take: read when it is opened, so that nobody's change is overwritten (If-Match). */
function Capacity({ agent, deeds }: { agent: AgentState; deeds: Props['deeds'] }) {
  const { t } = useTranslation('boards')
  const path = { user_id: agent.user_id }
  const asked = useQuery({
    queryKey: ['agents', agent.user_id],
    gcTime: 0,
    queryFn: ({ signal }) => data(api.GET('/api/v1/agents/{user_id}', { params: { path }, signal })),
  })
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (!asked.data) return null
  const { capacity, skills, languages, version } = asked.data
  const save = async (values: Values) => {
    const body = { capacity: Number(values.capacity), skills: levels(values.skills), languages: list(values.languages) }
    const header = { 'if-match': `"${version}"` }
    await data(api.PUT('/api/v1/agents/{user_id}', { params: { path, header }, body }))
    await deeds.done(t('agent.saved', { name: agent.name }))
  }
  return (
    <FormDialog
      title={t('agent.capacity_of', { name: agent.name })}
      fields={[
        { name: 'capacity', label: t('agent.capacity_label'), kind: 'number', min: 0, max: 100, required: true },
        { name: 'skills', label: t('agent.skills'), help: t('agent.skills_help') },
        { name: 'languages', label: t('agent.languages'), help: t('agent.languages_help') },
      ]}
      start={{ capacity, skills: fromLevels(skills), languages: languages.join(', ') }}
      confirm={t('save')}
      onSubmit={save}
      onClose={deeds.close}
    />
  )
}
