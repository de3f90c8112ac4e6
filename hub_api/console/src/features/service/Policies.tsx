/** Promises of service (SLA). */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { number, words } from '../../shared/admin/values'
import { duration } from '../../shared/format'
import { useQueues } from '../inbox/Filters'
import { Kept } from './Kept'

type Policy = components['schemas']['Policy']
type NewPolicy = components['schemas']['NewPolicy']
const TARGETS = ['first_response', 'next_response', 'resolution'] as const
const CLOCKS = ['business', 'calendar'] as const

export function Policies() {
  const { t, i18n } = useTranslation('admin')
  const deeds = useDeeds(['sla'])
  const queues = useQueues().data ?? []
  const { reading, rows } = usePages<Policy>(['sla'], (cursor, signal) =>
    data(api.GET('/api/v1/sla/policies', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('sla.name'), required: true, maxLength: 120 },
    {
      name: 'target',
      label: t('sla.target'),
      kind: 'select',
      required: true,
      options: TARGETS.map((value) => ({ value, label: t(`sla.targets.${value}`) })),
    },
    { name: 'minutes', label: t('sla.minutes'), kind: 'number', min: 1, required: true },
    { name: 'warn', label: t('sla.warn'), kind: 'number', min: 0 },
    {
      name: 'clock',
      label: t('sla.clock'),
      kind: 'select',
      options: CLOCKS.map((value) => ({ value, label: t(`sla.clocks.${value}`) })),
    },
    {
      name: 'queue',
      label: t('sla.queue'),
      kind: 'select',
      options: [
        { value: '', label: t('sla.any_queue') },
        ...queues.map((one) => ({ value: one.key, label: one.name })),
      ],
    },
    { name: 'priority', label: t('sla.priority'), kind: 'number', min: 1, max: 5 },
    { name: 'active', label: t('sla.active'), kind: 'switch' },
  ]
  const told = (values: Values): NewPolicy => ({
    name: String(values.name),
    target: values.target as NewPolicy['target'],
    seconds: Math.round(60 * Number(values.minutes)),
    warn_before_s: Math.round(60 * (number(values.warn) ?? 0)),
    clock: values.clock as NewPolicy['clock'],
    queue: words(values.queue),
    priority: number(values.priority),
    active: values.active === true,
  })
  return (
    <Kept
      label={t('service.sla')}
      newLabel={t('sla.new')}
      empty={t('sla.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('sla.name'), show: (one) => one.name },
        { label: t('sla.target'), show: (one) => t(`sla.targets.${one.target}`) },
        {
          label: t('sla.within'),
          show: (one) =>
            `${duration(one.seconds * 1000, i18n.language)} (${t(`sla.clocks.${one.clock ?? 'business'}`)})`,
        },
        {
          label: t('sla.queue'),
          show: (one) => queues.find((other) => other.key === one.queue)?.name ?? one.queue ?? t('sla.any_queue'),
        },
        { label: t('sla.active'), show: (one) => t(one.active ? 'yes' : 'no') },
      ]}
      fields={() => fields}
      start={(row) =>
        row
          ? {
              name: row.name,
              target: row.target,
              minutes: row.seconds / 60,
              warn: (row.warn_before_s ?? 0) / 60,
              clock: row.clock ?? 'business',
              queue: row.queue ?? '',
              priority: row.priority ?? null,
              active: row.active ?? true,
            }
          : { target: 'first_response', clock: 'business', active: true }
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/sla/policies', { params: { header }, body: told(values) }))
      }}
      change={(row, values) => {
        const params = { path: { policy_id: row.id }, header: { 'if-match': `"${row.version}"` } }
        return data(api.PUT('/api/v1/sla/policies/{policy_id}', { params, body: told(values) }))
      }}
      remove={(row) =>
        data(api.DELETE('/api/v1/sla/policies/{policy_id}', { params: { path: { policy_id: row.id } } }))
      }
      deeds={deeds}
    />
  )
}
