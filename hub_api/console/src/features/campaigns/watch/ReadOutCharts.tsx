/** How rates went, and how the difference narrowed: the band is right at every look, so it may be watched. */
import { Box } from '@mui/material'
import { useTheme } from '@mui/material/styles'
import { ChartsReferenceLine } from '@mui/x-charts/ChartsReferenceLine'
import { LineChart } from '@mui/x-charts/LineChart'
import { useTranslation } from 'react-i18next'
import type { components } from '../../../api/schema'
import { dayOf, shortly, time } from '../../../shared/format'
import { Figure } from './Figure'
import { band } from './verdict'

type Point = components['schemas']['TestPoint']

/** A band of a single look has no width: it is drawn on to a place without a name. */
function drawable(looks: Point[]): Point[] {
  const [only] = looks
  return only && looks.length === 1 ? [only, { ...only, at: '' }] : looks
}

export default function ReadOutCharts({ points: looks, metric }: { points: Point[]; metric: string }) {
  const { t, i18n } = useTranslation('campaigns')
  const { vars } = useTheme()
  const palette = vars?.palette
  const colours = [
    palette?.primary.main,
    palette?.warning.main,
    palette?.info.main,
    palette?.error.main,
    palette?.secondary.main,
  ]
  const points = drawable(looks)
  const [first, last] = [looks[0], looks.at(-1)]
  const sameDay = first && last && dayOf(first.at) === dayOf(last.at)
  const axis = [
    {
      data: points.map((one) => one.at),
      scaleType: 'point' as const,
      valueFormatter: (at: string) => (at === '' ? '' : sameDay ? time(at, i18n.language) : shortly(at, i18n.language)),
    },
  ]
  const share = (value: number | null) =>
    value === null ? '' : `${new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(value)}%`
  const of = (value: number) => new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(value)
  const names = points.at(-1)?.arms.map((one) => one.variant) ?? []
  const pairs = points.at(-1)?.differences ?? []
  return (
    <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))' }}>
      <Figure title={t('test.rates', { metric: t(`metric.${metric as 'reply'}`, { defaultValue: metric }) })}>
        <LineChart
          height={260}
          skipAnimation
          xAxis={axis}
          yAxis={[{ width: 56, min: 0, valueFormatter: share }]}
          series={names.map((name, place) => ({
            label: name.toUpperCase(),
            data: points.map((one) => (one.arms.find((arm) => arm.variant === name)?.rate ?? 0) * 100),
            color: colours[place % colours.length] ?? '#888',
            showMark: points.length < 30,
            valueFormatter: share,
          }))}
        />
      </Figure>
      {pairs.map((pair) => {
        const went = points.map(
          (one) => one.differences.find((each) => each.worse === pair.worse) ?? { difference: 0, low: -1, high: 1 },
        )
        const { floor, height } = band(went)
        return (
          <Figure
            key={pair.worse}
            title={t('test.difference', { better: pair.better.toUpperCase(), worse: pair.worse.toUpperCase() })}
          >
            <LineChart
              height={260}
              skipAnimation
              hideLegend
              xAxis={axis}
              yAxis={[
                {
                  width: 56,
                  valueFormatter: of,
                  min: Math.max(-60, Math.min(...floor)),
                  max: Math.min(60, Math.max(...went.map((one) => one.high * 100))),
                },
              ]}
              series={[
                {
                  id: 'floor',
                  data: floor,
                  stack: 'band',
                  color: 'transparent',
                  showMark: false,
                  valueFormatter: () => null,
                },
                {
                  id: 'band',
                  label: t('test.band'),
                  data: height,
                  stack: 'band',
                  area: true,
                  color: palette?.info.main ?? '#58a',
                  showMark: false,
                  valueFormatter: (_, { dataIndex }) => {
                    const at = went[dataIndex]
                    return at ? t('test.from_to', { low: of(at.low * 100), high: of(at.high * 100) }) : null
                  },
                },
                {
                  id: 'line',
                  label: t('test.points'),
                  data: went.map((one) => one.difference * 100),
                  color: palette?.primary.main ?? '#0b6b57',
                  showMark: points.length < 30,
                  valueFormatter: (value) => (value === null ? null : t('test.pp', { value: of(value) })),
                },
              ]}
              sx={{
                '& .MuiAreaElement-series-band, & .MuiLineChart-area[data-series="band"]': { opacity: 0.2 },
                '& .MuiLineElement-series-floor': { display: 'none' },
              }}
            >
              <ChartsReferenceLine y={0} lineStyle={{ strokeDasharray: '4 4' }} />
            </LineChart>
          </Figure>
        )
      })}
    </Box>
  )
}
