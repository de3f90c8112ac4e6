/** Today beside yesterday by the hour, and who waits where. */
import { Box, Paper, Typography } from '@mui/material'
import { useTheme } from '@mui/material/styles'
import { BarChart } from '@mui/x-charts/BarChart'
import { LineChart } from '@mui/x-charts/LineChart'
import { type ReactNode, useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { Figure, QueueState } from '../../live/boards'
import { clockTicks, shownAs } from './figures'

const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
const MOST_QUEUES = 12

export default function Charts({ figures, queues, hour }: { figures: Figure[]; queues: QueueState[]; hour: number }) {
  const { t, i18n } = useTranslation('boards')
  const { vars } = useTheme()
  const palette = vars?.palette
  const colours = { today: palette?.primary.main ?? '#0b6b57', before: palette?.text.secondary ?? '#888' }
  const waiting = [...queues]
    .sort((a, b) => b.waiting + b.in_service - (a.waiting + a.in_service))
    .slice(0, MOST_QUEUES)
  const isBusy = waiting.some((one) => one.waiting + one.in_service > 0)
  const shown = figures.filter((one) => one.key === 'conversations' || one.key === 'first_response_time')
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 1.5,
        mt: 1.5,
        gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))',
      }}
    >
      {shown.map((one) => {
        const name = t(`figure.${one.key as 'conversations'}`, { defaultValue: one.name })
        return (
          <Chart key={one.key} title={t('wallboard.by_hour', { name })}>
            <LineChart
              height={240}
              skipAnimation
              xAxis={[
                {
                  data: HOURS,
                  scaleType: 'point',
                  valueFormatter: (at: number) => `${at}h`,
                  tickLabelInterval: (at: number) => at % 3 === 0,
                },
              ]}
              yAxis={[
                {
                  width: 80,
                  min: 0,
                  tickMinStep: one.unit === 'count' ? 1 : undefined,
                  ...(one.unit === 'seconds' && { tickInterval: clockTicks(mostOf(one)) }),
                  valueFormatter: (value: number) => shownAs(value, one.unit, i18n.language),
                },
              ]}
              series={[
                {
                  label: t('wallboard.series_today'),
                  data: HOURS.map((at) => (at <= hour ? (one.hours[at] ?? null) : null)),
                  color: colours.today,
                  showMark: ({ index }) => isAlone(one.hours, index),
                  valueFormatter: (value: number | null) => shownAs(value, one.unit, i18n.language),
                },
                {
                  label: t('wallboard.series_yesterday'),
                  data: HOURS.map((at) => one.hours_yesterday[at] ?? null),
                  color: colours.before,
                  showMark: false,
                  valueFormatter: (value: number | null) => shownAs(value, one.unit, i18n.language),
                },
              ]}
            />
          </Chart>
        )
      })}
      {waiting.length > 0 && (
        <Chart title={t('wallboard.by_queue')}>
          <BarChart
            height={240}
            skipAnimation
            xAxis={[{ data: waiting.map((one) => one.name), scaleType: 'band' }]}
            yAxis={[{ width: 40, min: 0, max: isBusy ? undefined : 1, tickMinStep: 1 }]}
            series={[
              {
                label: t('queue.waiting'),
                data: waiting.map((one) => one.waiting),
                color: palette?.warning.main ?? '#8a5300',
                stack: 'all',
              },
              {
                label: t('queue.in_service'),
                data: waiting.map((one) => one.in_service),
                color: colours.today,
                stack: 'all',
              },
            ]}
          />
        </Chart>
      )}
    </Box>
  )
}

/** The largest value of an hour of today and yesterday. */
function mostOf(one: Figure): number {
  return Math.max(0, ...[...one.hours, ...one.hours_yesterday].map((value) => value ?? 0))
}

/** A value between hours without one, which no line leads to. */
function isAlone(hours: Figure['hours'], at: number): boolean {
  return (hours[at - 1] ?? null) === null && (hours[at + 1] ?? null) === null
}

function Chart({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <Paper variant="outlined" component="figure" aria-labelledby={id} sx={{ m: 0, p: 1.5, minWidth: 0 }}>
      <Typography id={id} component="figcaption" sx={{ fontWeight: 600, mb: 0.5 }}>
        {title}
      </Typography>
      {children}
    </Paper>
  )
}
