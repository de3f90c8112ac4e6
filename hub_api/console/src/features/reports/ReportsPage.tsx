/** Figures that come by themselves: alerts when one goes wrong, reports on a schedule. */
import { Chip } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useParams } from 'wouter'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { list, number } from '../../shared/admin/values'
import { dateTime } from '../../shared/format'
import { Kept } from '../service/Kept'

type Alert = components['schemas']['Alert']
type NewAlert = components['schemas']['NewAlert']
type Report = components['schemas']['Report']
type NewReport = components['schemas']['NewReport']

export default function ReportsPage() {
  const { t } = useTranslation('admin')
  const { part } = useParams<{ part?: string }>()
  const here = part === 'scheduled' ? 'scheduled' : 'alerts'
  const parts = (['alerts', 'scheduled'] as const).map((key) => ({ key, label: t(`reports.${key}`) }))
  return (
    <Page title={t('reports.title')} parts={parts} base="/reports" part={here}>
      {here === 'alerts' ? <Alerts /> : <Scheduled />}
    </Page>
  )
}

function Alerts() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('analytics:export')
  const deeds = useDeeds(['alerts'])
  const catalogue = useQuery({
    queryKey: ['catalogue'],
    staleTime: 600_000,
    queryFn: ({ signal }) => data(api.GET('/api/v1/analytics/catalogue', { signal })),
  })
  const kpis = (catalogue.data?.kpis ?? [])
    .filter((one) => one.measured_by === 'warehouse')
    .map((one) => ({ value: one.key, label: one.name }))
  const { reading, rows } = usePages<Alert>(['alerts'], (cursor, signal) =>
    data(api.GET('/api/v1/analytics/alerts', { params: { query: { limit: 50, cursor } }, signal })),
  )
  const name = (key: string) => kpis.find((one) => one.value === key)?.label ?? key
  const fields: Field[] = [
    { name: 'name', label: t('reports.name'), required: true, maxLength: 120 },
    { name: 'kpi', label: t('reports.kpi'), kind: 'select', options: kpis, required: true },
    {
      name: 'comparison',
      label: t('reports.comparison'),
      kind: 'select',
      options: (['above', 'below'] as const).map((value) => ({ value, label: t(`reports.${value}`) })),
    },
    { name: 'threshold', label: t('reports.threshold'), required: true, help: t('reports.threshold_help') },
    { name: 'days', label: t('reports.over_days'), kind: 'number', min: 1, max: 90 },
    { name: 'emails', label: t('reports.emails'), required: true, help: t('reports.emails_help') },
    { name: 'active', label: t('reports.active'), kind: 'switch' },
  ]
  const told = (values: Values): NewAlert => ({
    name: String(values.name),
    kpi: String(values.kpi),
    comparison: values.comparison as NewAlert['comparison'],
    threshold: Number(String(values.threshold).replace(',', '.')),
    days: number(values.days) ?? 1,
    emails: list(values.emails),
    active: values.active === true,
  })
  return (
    <Kept
      label={t('reports.alerts')}
      newLabel={t('reports.new_alert')}
      empty={t('reports.no_alerts')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('reports.name'), show: (one) => one.name },
        {
          label: t('reports.kpi'),
          show: (one) => `${name(one.kpi)} ${t(`reports.${one.comparison}`)} ${one.threshold}`,
        },
        {
          label: t('reports.state'),
          show: (one) => (
            <Chip
              size="small"
              color={one.state === 'firing' ? 'error' : 'default'}
              label={t(one.active ? `reports.states.${one.state}` : 'no')}
            />
          ),
        },
        { label: t('reports.value'), show: (one) => (one.value === null ? '–' : String(one.value)) },
        {
          label: t('reports.checked'),
          show: (one) => (one.checked_at ? dateTime(one.checked_at, i18n.language) : '–'),
        },
      ]}
      fields={() => fields}
      changes={changes}
      start={(row) =>
        row
          ? {
              name: row.name,
              kpi: row.kpi,
              comparison: row.comparison,
              threshold: String(row.threshold),
              days: row.days ?? 1,
              emails: row.emails.join(', '),
              active: row.active ?? true,
            }
          : { comparison: 'above', days: 1, active: true }
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/analytics/alerts', { params: { header }, body: told(values) }))
      }}
      change={(row, values) =>
        data(
          api.PUT('/api/v1/analytics/alerts/{alert_id}', {
            params: { path: { alert_id: row.id } },
            body: told(values),
          }),
        )
      }
      remove={(row) =>
        data(api.DELETE('/api/v1/analytics/alerts/{alert_id}', { params: { path: { alert_id: row.id } } }))
      }
      deeds={deeds}
    />
  )
}

function Scheduled() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('analytics:export')
  const deeds = useDeeds(['reports'])
  const { reading, rows } = usePages<Report>(['reports'], (cursor, signal) =>
    data(api.GET('/api/v1/analytics/reports', { params: { query: { limit: 50, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('reports.name'), required: true, maxLength: 120 },
    {
      name: 'format',
      label: t('reports.format'),
      kind: 'select',
      options: (['pdf', 'csv'] as const).map((value) => ({ value, label: value.toUpperCase() })),
    },
    {
      name: 'every',
      label: t('reports.every'),
      kind: 'select',
      options: (['day', 'week', 'month'] as const).map((value) => ({ value, label: t(`reports.everys.${value}`) })),
    },
    { name: 'place', label: t('reports.place'), kind: 'number', min: 1, max: 28, help: t('reports.place_help') },
    { name: 'hour', label: t('reports.hour'), kind: 'number', min: 0, max: 23, required: true },
    { name: 'emails', label: t('reports.emails'), help: t('reports.emails_help'), required: true },
    { name: 'active', label: t('reports.active'), kind: 'switch' },
  ]
  const told = (values: Values, before?: Report): NewReport => ({
    name: String(values.name),
    format: values.format as NewReport['format'],
    every: values.every as NewReport['every'],
    weekday: values.every === 'week' ? (number(values.place) ?? 1) : null,
    month_day: values.every === 'month' ? (number(values.place) ?? 1) : null,
    hour: Number(values.hour),
    emails: list(values.emails),
    phones: before?.phones ?? [],
    template: before?.template ?? null,
    active: values.active === true,
  })
  return (
    <Kept
      label={t('reports.scheduled')}
      newLabel={t('reports.new_report')}
      empty={t('reports.no_reports')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('reports.name'), show: (one) => one.name },
        { label: t('reports.every'), show: (one) => t(`reports.everys.${one.every}`) },
        { label: t('reports.format'), show: (one) => (one.format ?? 'pdf').toUpperCase() },
        { label: t('reports.next'), show: (one) => (one.active ? dateTime(one.next_at, i18n.language) : t('no')) },
        { label: t('reports.emails'), show: (one) => (one.emails ?? []).join(', ') },
      ]}
      fields={() => fields}
      changes={changes}
      start={(row) =>
        row
          ? {
              name: row.name,
              format: row.format ?? 'pdf',
              every: row.every,
              place: row.weekday ?? row.month_day ?? null,
              hour: row.hour,
              emails: (row.emails ?? []).join(', '),
              active: row.active ?? true,
            }
          : { format: 'pdf', every: 'week', place: 1, hour: 8, active: true }
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/analytics/reports', { params: { header }, body: told(values) }))
      }}
      change={(row, values) =>
        data(
          api.PUT('/api/v1/analytics/reports/{report_id}', {
            params: { path: { report_id: row.id } },
            body: told(values, row),
          }),
        )
      }
      remove={(row) =>
        data(api.DELETE('/api/v1/analytics/reports/{report_id}', { params: { path: { report_id: row.id } } }))
      }
      more={[
        {
          label: t('reports.now'),
          run: (row: Report) => {
            const params = { path: { report_id: row.id }, header: { 'idempotency-key': crypto.randomUUID() } }
            void deeds.run(data(api.POST('/api/v1/analytics/reports/{report_id}/runs', { params })), t('reports.begun'))
          },
        },
      ]}
      deeds={deeds}
    />
  )
}
