/** Baselines: what key figures were before the hub, by which the targets of the board are judged. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { decimal, fromMicros, words } from '../../shared/admin/values'
import { date, money } from '../../shared/format'
import { Kept } from '../service/Kept'

type Baseline = components['schemas']['Baseline']

const UNITS = ['seconds', 'share', 'points', 'rating', 'count', 'money', 'per_hour'] as const

export function Baselines() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('settings:write')
  const deeds = useDeeds(['baselines'])
  const catalogue = useQuery({
    queryKey: ['kpi-catalogue'],
    queryFn: ({ signal }) => data(api.GET('/api/v1/analytics/catalogue', { signal })),
  })
  const { reading, rows } = usePages<Baseline>(['baselines'], async (_, signal) => ({
    ...(await data(api.GET('/api/v1/analytics/baselines', { signal }))),
    next_cursor: null,
  }))
  const kpis = catalogue.data?.kpis ?? []
  const kpi = (key: string) => kpis.find((one) => one.key === key)
  const nameOf = (row: Baseline) => kpi(row.kpi)?.name ?? row.kpi
  const unit = (key: string) => {
    const known = UNITS.find((one) => one === kpi(key)?.unit)
    return known ? t(`baseline.units.${known}`) : ''
  }
  const shown = ({ kpi: key, value }: Baseline) => {
    const kind = kpi(key)?.unit
    if (kind === 'money') return t('baseline.per_case', { amount: money(value, 'BRL', i18n.language) })
    const style = kind === 'share' ? 'percent' : 'decimal'
    const amount = new Intl.NumberFormat(i18n.language, { style, maximumFractionDigits: 2 }).format(value)
    return kind === 'share' ? amount : `${amount} ${unit(key)}`.trim()
  }
  const missing = kpis.filter((one) => !rows.some((row) => row.kpi === one.key))
  const fields = (row: Baseline | null): Field[] => [
    ...(row
      ? []
      : ([
          {
            name: 'kpi',
            label: t('baseline.kpi'),
            kind: 'select',
            required: true,
            options: missing.map((one) => ({ value: one.key, label: `${one.name} (${unit(one.key)})` })),
          },
        ] as Field[])),
    {
      name: 'value',
      label: row ? t('baseline.value_in', { unit: unit(row.kpi) }) : t('baseline.value'),
      required: true,
      help: t('baseline.value_help'),
    },
    { name: 'measured_from', label: t('baseline.from'), kind: 'date' },
    { name: 'measured_to', label: t('baseline.to'), kind: 'date' },
    { name: 'note', label: t('baseline.note'), maxLength: 500 },
  ]
  const put = (key: string, values: Values) =>
    data(
      api.PUT('/api/v1/analytics/baselines/{kpi}', {
        params: { path: { kpi: key } },
        body: {
          value: decimal(values.value),
          measured_from: words(values.measured_from),
          measured_to: words(values.measured_to),
          note: words(values.note) ?? '',
        },
      }),
    )
  const measured = (row: Baseline) =>
    [row.measured_from, row.measured_to].map((day) => (day ? date(day, i18n.language) : '…')).join(' – ')
  return (
    <Kept
      label={t('settings.baselines')}
      newLabel={t('baseline.new')}
      empty={t('baseline.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.kpi}
      nameOf={nameOf}
      columns={[
        { label: t('baseline.kpi'), show: nameOf },
        { label: t('baseline.value'), show: shown },
        { label: t('baseline.measured'), show: (one) => (one.measured_from || one.measured_to ? measured(one) : '–') },
        { label: t('baseline.note'), show: (one) => one.note || '–' },
      ]}
      fields={fields}
      start={(row) => (row ? { ...row, value: fromMicros(Math.round(row.value * 1e6)) } : {})}
      // Not before there is something to choose from.
      {...(changes &&
        catalogue.data && {
          create: (values: Values) => put(String(values.kpi), values),
          change: (row: Baseline, values: Values) => put(row.kpi, values),
        })}
      deeds={deeds}
    />
  )
}
