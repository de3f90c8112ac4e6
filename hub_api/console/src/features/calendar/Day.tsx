/** A day of the calendar: its holidays, its hours, its campaigns. On a phone days without anything are left out. */
import { Box, Chip, Link as MuiLink, Stack, Tooltip, Typography } from '@mui/material'
import { CalendarOff } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { longDay, time } from '../../shared/format'
import { type Calendar, type Entry, hoursOn, type View } from './days'

const COLOURS = {
  draft: 'default',
  in_review: 'warning',
  approved: 'info',
  scheduled: 'info',
  running: 'success',
  paused: 'warning',
  completed: 'default',
  cancelled: 'default',
  failed: 'error',
} as const

interface Props {
  day: string
  view: View
  isToday: boolean
  isOther: boolean
  entries: Entry[]
  holidays: Calendar['holidays']
  hours: Record<string, string>
}

export function Day({ day, view, isToday, isOther, entries, holidays, hours }: Props) {
  const { t, i18n } = useTranslation('audience')
  const national = holidays.filter((one) => one.states.length === 0)
  const local = holidays.filter((one) => one.states.length > 0)
  const named = longDay(`${day}T12:00:00Z`, i18n.language)
  const isEmpty = entries.length === 0 && holidays.length === 0 && !isToday
  return (
    <Box
      component="li"
      aria-label={named}
      aria-current={isToday ? 'date' : undefined}
      sx={{
        display: { xs: isEmpty && view === 'month' ? 'none' : 'block', md: 'block' },
        minHeight: { md: view === 'week' ? 260 : 96 },
        minWidth: 0,
        p: 0.75,
        border: 1,
        borderRadius: 1,
        borderColor: isToday ? 'primary.main' : 'divider',
        bgcolor: isOther ? 'background.default' : 'background.paper',
      }}
    >
      <Typography
        variant="body2"
        aria-hidden
        sx={{ fontWeight: isToday ? 700 : 500, color: isOther ? 'text.secondary' : undefined }}
      >
        <Box component="span" sx={{ display: { md: 'none' } }}>
          {named}
        </Box>
        <Box component="span" sx={{ display: { xs: 'none', md: 'inline' } }}>
          {Number(day.slice(8))}
        </Box>
      </Typography>
      <Stack sx={{ gap: 0.5, mt: 0.5 }}>
        {national.map((one) => (
          <Stack key={one.name} direction="row" sx={{ gap: 0.5, alignItems: 'flex-start', color: 'error.main' }}>
            <CalendarOff size={14} aria-hidden style={{ flexShrink: 0, marginTop: 2 }} />
            <Typography variant="caption">{one.name}</Typography>
          </Stack>
        ))}
        {local.map((one) => (
          <Tooltip key={one.name + one.states.join()} title={one.states.join(', ')}>
            <Typography variant="caption" sx={{ color: 'text.secondary' }}>
              {t('calendar.only_in', { name: one.name, states: shortened(one.states) })}
            </Typography>
          </Tooltip>
        ))}
        {entries.map((one) => (
          <Campaign key={one.campaign_id + one.begins_at} entry={one} view={view} />
        ))}
        {view === 'week' &&
          Object.entries(hours).map(([lane, text]) => (
            <Typography key={lane} variant="caption" sx={{ color: 'text.secondary' }}>
              {t(`lane.${lane as 'marketing'}`)}:{' '}
              {(national.length === 0 && hoursOn(text, day)?.replace('-', '–')) || t('calendar.closed')}
            </Typography>
          ))}
      </Stack>
    </Box>
  )
}

function Campaign({ entry, view }: { entry: Entry; view: View }) {
  const { t, i18n } = useTranslation('audience')
  return (
    <Box sx={{ borderLeft: 3, borderColor: entry.planned ? 'info.main' : 'success.main', pl: 0.75, minWidth: 0 }}>
      <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
        {entry.planned || view === 'week' ? time(entry.begins_at, i18n.language) : ''}{' '}
        {t(entry.planned ? `calendar.planned_${entry.kind}` : `calendar.began_${entry.kind}`)}
      </Typography>
      <MuiLink
        component={Link}
        href={`/campaigns/${entry.campaign_id}`}
        variant="body2"
        sx={{ fontWeight: 600, overflowWrap: 'anywhere', display: 'block' }}
      >
        {entry.name}
      </MuiLink>
      <Chip
        size="small"
        variant="outlined"
        color={COLOURS[entry.state]}
        label={t(`state.${entry.state}`)}
        sx={{ mt: 0.25 }}
      />
      {view === 'week' && entry.members !== null && (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          {t('calendar.people', { n: entry.members.toLocaleString(i18n.language) })}
        </Typography>
      )}
    </Box>
  )
}

function shortened(states: string[]): string {
  return states.length > 3 ? `${states.slice(0, 3).join(', ')}…` : states.join(', ')
}
