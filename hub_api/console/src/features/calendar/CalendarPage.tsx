/** Campaigns by month or week: what ran, runs and is to come, with the holidays and hours that sending keeps to. */
import { Alert, Box, Button, IconButton, Stack, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useLocation, useSearch } from 'wouter'
import { api, data } from '../../api/client'
import { Page } from '../../shared/admin/Page'
import { date, dayOf } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import { Day } from './Day'
import { byDay, type Calendar, daysOf, turned, type View } from './days'

export default function CalendarPage() {
  const { t, i18n } = useTranslation('audience')
  const [, go] = useLocation()
  const asked = new URLSearchParams(useSearch())
  const today = dayOf(new Date().toISOString())
  const view: View = asked.get('view') === 'week' ? 'week' : 'month'
  const given = asked.get('day') ?? ''
  const day = /^\d{4}-\d\d-\d\d$/.test(given) ? given : today
  const show = (next: { view?: View; day?: string }) =>
    go(`/calendar?view=${next.view ?? view}&day=${next.day ?? day}`, { replace: true })
  const days = daysOf(view, day)
  const first = days[0] ?? day
  const last = days.at(-1) ?? day
  const reading = useQuery({
    queryKey: ['campaign-calendar', first, last],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => data(api.GET('/api/v1/campaign-calendar', { params: { query: { first, last } }, signal })),
  })
  const title =
    view === 'month'
      ? new Intl.DateTimeFormat(i18n.language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
          new Date(`${day}T00:00:00Z`),
        )
      : t('calendar.week_of', { first: date(first, i18n.language), last: date(last, i18n.language) })
  return (
    <Page
      title={t('calendar.title')}
      subtitle={t('calendar.subtitle')}
      actions={
        <Stack direction="row" sx={{ gap: 1, alignItems: 'center', flexWrap: 'wrap' }}>
          <Button size="small" onClick={() => show({ day: today })}>
            {t('calendar.today')}
          </Button>
          <ToggleButtonGroup
            exclusive
            size="small"
            value={view}
            aria-label={t('calendar.view')}
            onChange={(_, next: View | null) => next && show({ view: next })}
          >
            <ToggleButton value="month">{t('calendar.month')}</ToggleButton>
            <ToggleButton value="week">{t('calendar.week')}</ToggleButton>
          </ToggleButtonGroup>
        </Stack>
      }
    >
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, mb: 1 }}>
        <IconButton aria-label={t(`calendar.before_${view}`)} onClick={() => show({ day: turned(view, day, -1) })}>
          <ChevronLeft size={20} />
        </IconButton>
        <Typography
          component="h3"
          variant="h6"
          aria-live="polite"
          sx={{ '&::first-letter': { textTransform: 'uppercase' }, textAlign: 'center', minWidth: { sm: 220 } }}
        >
          {title}
        </Typography>
        <IconButton aria-label={t(`calendar.next_${view}`)} onClick={() => show({ day: turned(view, day, 1) })}>
          <ChevronRight size={20} />
        </IconButton>
      </Stack>
      {reading.isPending ? (
        <Loading />
      ) : reading.isError ? (
        <Failed error={reading.error} onRetry={() => void reading.refetch()} />
      ) : (
        <>
          <Days
            days={days}
            view={view}
            month={view === 'month' ? day.slice(0, 7) : ''}
            today={today}
            found={reading.data}
          />
          <Quiet hours={reading.data.hours} zone={reading.data.zone} />
        </>
      )}
    </Page>
  )
}

interface DaysProps {
  days: string[]
  view: View
  /** The month that is meant; days of others are pale. Empty: all are meant. */
  month: string
  today: string
  found: Calendar
}

function Days({ days, view, month, today, found }: DaysProps) {
  const { t, i18n } = useTranslation('audience')
  const entries = byDay(found.entries, days, today)
  const names = days.slice(0, 7).map((day) => ({
    day,
    name: new Intl.DateTimeFormat(i18n.language, { weekday: 'short', timeZone: 'UTC' }).format(
      new Date(`${day}T00:00:00Z`),
    ),
  }))
  const nothing = found.entries.length === 0
  return (
    <>
      {nothing && (
        <Alert severity="info" sx={{ mb: 1 }}>
          {t('calendar.nothing')}
        </Alert>
      )}
      <Box
        sx={{ display: { xs: 'none', md: 'grid' }, gridTemplateColumns: 'repeat(7, minmax(0, 1fr))', mb: 0.5 }}
        aria-hidden
      >
        {names.map((one) => (
          <Typography key={one.day} variant="caption" sx={{ fontWeight: 700, px: 1 }}>
            {one.name}
          </Typography>
        ))}
      </Box>
      <Box
        component="ul"
        aria-label={t('calendar.title')}
        sx={{
          listStyle: 'none',
          m: 0,
          p: 0,
          display: 'grid',
          gap: 0.5,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(7, minmax(0, 1fr))' },
        }}
      >
        {days.map((day) => (
          <Day
            key={day}
            day={day}
            view={view}
            isToday={day === today}
            isOther={month !== '' && !day.startsWith(month)}
            entries={entries.get(day) ?? []}
            holidays={found.holidays.filter((one) => one.day === day)}
            hours={found.hours}
          />
        ))}
      </Box>
    </>
  )
}

function Quiet({ hours, zone }: { hours: Record<string, string>; zone: string }) {
  const { t } = useTranslation('audience')
  return (
    <Box component="section" aria-label={t('calendar.hours')} sx={{ mt: 2, color: 'text.secondary' }}>
      <Typography component="h3" variant="subtitle2">
        {t('calendar.hours')}
      </Typography>
      {Object.entries(hours).map(([lane, text]) => (
        <Typography key={lane} variant="body2">
          {t(`lane.${lane as 'marketing'}`)}: {readable(text, t)}
        </Typography>
      ))}
      <Typography variant="caption">{t('calendar.zone', { zone })}</Typography>
    </Box>
  )
}

/** `1-5 09:00-20:00, 6 09:00-14:00` in words. */
function readable(text: string, t: ReturnType<typeof useTranslation<'audience'>>['t']): string {
  const name = (number: string) => t(`weekday.${number as '1'}`)
  return text
    .split(',')
    .map((part) => {
      const [days = '', clock = ''] = part.trim().split(' ')
      const [from = '', to] = days.split('-')
      return `${to ? t('calendar.from_to', { from: name(from), to: name(to) }) : name(from)} ${clock.replace('-', '–')}`
    })
    .join(', ')
}
