/** The funnel as it grew, hour by hour. */
import { useTheme } from '@mui/material/styles'
import { LineChart } from '@mui/x-charts/LineChart'
import { useTranslation } from 'react-i18next'
import { dayOf, shortly, time } from '../../../shared/format'
import { Figure } from './Figure'
import { type cumulative, FUNNEL } from './figures'

export default function FunnelChart({ series }: { series: ReturnType<typeof cumulative> }) {
  const { t, i18n } = useTranslation('campaigns')
  const { vars } = useTheme()
  const palette = vars?.palette
  const colours = {
    sent: palette?.text.secondary,
    delivered: palette?.info.main,
    read: palette?.secondary.main,
    replied: palette?.warning.main,
    converted: palette?.success.main,
  }
  const [first, last] = [series[0], series.at(-1)]
  const sameDay = first && last && dayOf(first.hour) === dayOf(last.hour)
  const count = (value: number | null) => value?.toLocaleString(i18n.language) ?? ''
  return (
    <Figure title={t('funnel.over_time')}>
      <LineChart
        height={260}
        skipAnimation
        xAxis={[
          {
            data: series.map((one) => one.hour),
            scaleType: 'point',
            valueFormatter: (at: string) => (sameDay ? time(at, i18n.language) : shortly(at, i18n.language)),
          },
        ]}
        yAxis={[{ width: 56, min: 0, valueFormatter: count }]}
        series={FUNNEL.map((step) => ({
          label: t(`funnel.${step}`),
          data: series.map((one) => one.counts[step]),
          color: colours[step] ?? '#888',
          showMark: false,
          valueFormatter: count,
        }))}
      />
    </Figure>
  )
}
