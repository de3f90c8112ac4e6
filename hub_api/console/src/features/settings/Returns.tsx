/** What the hub brings in and costs beside what it counts itself: the return on investment is worked out with it. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { fromMicros, micros, words } from '../../shared/admin/values'
import { date, money } from '../../shared/format'
import { Kept } from '../service/Kept'

type Entry = components['schemas']['hub_api__analytics__returns__schemas__Entry']
type NewEntry = components['schemas']['hub_api__analytics__returns__schemas__NewEntry']
const KINDS = ['benefit', 'cost'] as const
const EVERY = ['month', 'once'] as const

export function Returns() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('settings:write')
  const deeds = useDeeds(['returns'])
  const { reading, rows } = usePages<Entry>(['returns'], (cursor, signal) =>
    data(api.GET('/api/v1/analytics/benefits-and-costs', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('returns.name'), required: true, maxLength: 120 },
    {
      name: 'kind',
      label: t('returns.kind'),
      kind: 'select',
      options: KINDS.map((value) => ({ value, label: t(`returns.kinds.${value}`) })),
    },
    { name: 'amount', label: t('returns.amount'), required: true },
    {
      name: 'every',
      label: t('returns.every'),
      kind: 'select',
      options: EVERY.map((value) => ({ value, label: t(`returns.times.${value}`) })),
    },
    { name: 'valid_from', label: t('returns.valid_from'), kind: 'date', required: true },
    { name: 'valid_to', label: t('returns.valid_to'), kind: 'date' },
    { name: 'source', label: t('returns.source'), maxLength: 500 },
    { name: 'is_example', label: t('returns.is_example'), kind: 'switch' },
  ]
  const told = (values: Values): NewEntry => ({
    name: String(values.name),
    kind: values.kind as NewEntry['kind'],
    amount_micros: micros(values.amount),
    every: values.every as NewEntry['every'],
    valid_from: String(values.valid_from),
    valid_to: values.every === 'month' ? words(values.valid_to) : null,
    source: words(values.source) ?? '',
    is_example: values.is_example === true,
  })
  const valid = (row: Entry) =>
    [row.valid_from, row.valid_to]
      .map((day) => day && date(day, i18n.language))
      .filter(Boolean)
      .join(' – ')
  const path = (row: Entry) => ({ entry_id: row.id })
  return (
    <Kept
      label={t('settings.returns')}
      newLabel={t('returns.new')}
      empty={t('returns.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('returns.name'), show: (one) => one.name + (one.is_example ? ` (${t('returns.example')})` : '') },
        { label: t('returns.kind'), show: (one) => t(`returns.kinds.${one.kind}`) },
        { label: t('returns.amount'), show: (one) => money(one.amount_micros / 1e6, 'BRL', i18n.language) },
        { label: t('returns.every'), show: (one) => t(`returns.times.${one.every}`) },
        { label: t('returns.valid_from'), show: valid },
      ]}
      fields={() => fields}
      start={(row) =>
        row
          ? { ...row, amount: fromMicros(row.amount_micros), valid_to: row.valid_to ?? '' }
          : { kind: 'benefit', every: 'month' }
      }
      {...(changes && {
        create: (values: Values) => {
          const header = { 'idempotency-key': crypto.randomUUID() }
          return data(api.POST('/api/v1/analytics/benefits-and-costs', { params: { header }, body: told(values) }))
        },
        change: (row: Entry, values: Values) =>
          data(
            api.PUT('/api/v1/analytics/benefits-and-costs/{entry_id}', {
              params: { path: path(row) },
              body: told(values),
            }),
          ),
        remove: (row: Entry) =>
          data(api.DELETE('/api/v1/analytics/benefits-and-costs/{entry_id}', { params: { path: path(row) } })),
      })}
      deeds={deeds}
    />
  )
}
