/** Several steps at one press. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Macro } from '../../api/types'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { list, number, words } from '../../shared/admin/values'
import { useQueues } from '../inbox/Filters'
import { Kept } from './Kept'
import { useTeams } from './useTeams'

export function Macros() {
  const { t } = useTranslation('admin')
  const deeds = useDeeds(['admin-macros'], ['macros'])
  const teams = useTeams()
  const queues = useQueues().data ?? []
  const { reading, rows } = usePages<Macro>(['admin-macros'], (cursor, signal) =>
    data(api.GET('/api/v1/macros', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('macro.name'), required: true, maxLength: 120 },
    { name: 'reply', label: t('macro.reply'), kind: 'long', maxLength: 4096 },
    { name: 'add_tags', label: t('macro.tags'), help: t('macro.tags_help') },
    { name: 'priority', label: t('macro.priority'), kind: 'number', min: 1, max: 5 },
    {
      name: 'transfer_to',
      label: t('macro.transfer'),
      kind: 'select',
      options: [{ value: '', label: t('macro.stays') }, ...queues.map((one) => ({ value: one.key, label: one.name }))],
    },
    { name: 'snooze_minutes', label: t('macro.snooze'), kind: 'number', min: 1 },
    { name: 'resolve', label: t('macro.resolve'), kind: 'switch' },
    {
      name: 'team_id',
      label: t('canned.team'),
      kind: 'select',
      options: [
        { value: '', label: t('canned.everybody') },
        ...teams.map((one) => ({ value: one.id, label: one.name })),
      ],
    },
  ]
  const told = (values: Values, before?: Macro) => ({
    name: String(values.name),
    team_id: words(values.team_id),
    steps: {
      ...before?.steps,
      reply: words(values.reply),
      add_tags: list(values.add_tags),
      priority: number(values.priority),
      transfer_to: words(values.transfer_to),
      snooze_minutes: number(values.snooze_minutes),
      resolve: values.resolve === true,
    },
  })
  const steps = ({ steps: one }: Macro) =>
    [
      one.reply && t('macro.does.reply'),
      one.add_tags?.length && t('macro.does.tags', { tags: one.add_tags.join(', ') }),
      one.priority && t('macro.does.priority', { level: one.priority }),
      one.transfer_to && t('macro.does.transfer', { queue: one.transfer_to }),
      one.snooze_minutes && t('macro.does.snooze', { minutes: one.snooze_minutes }),
      one.resolve && t('macro.does.resolve'),
    ]
      .filter(Boolean)
      .join(' → ')
  return (
    <Kept
      label={t('service.macros')}
      newLabel={t('macro.new')}
      empty={t('macro.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('macro.name'), show: (one) => one.name },
        { label: t('macro.steps'), show: steps },
        {
          label: t('canned.team'),
          show: (one) => teams.find((other) => other.id === one.team_id)?.name ?? t('canned.everybody'),
        },
      ]}
      fields={() => fields}
      start={(row) =>
        row
          ? {
              name: row.name,
              team_id: row.team_id ?? '',
              reply: row.steps.reply ?? '',
              add_tags: (row.steps.add_tags ?? []).join(', '),
              priority: row.steps.priority ?? null,
              transfer_to: row.steps.transfer_to ?? '',
              snooze_minutes: row.steps.snooze_minutes ?? null,
              resolve: row.steps.resolve ?? false,
            }
          : {}
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/macros', { params: { header }, body: told(values) }))
      }}
      change={(row, values) => {
        const params = { path: { macro_id: row.id }, header: { 'if-match': `"${row.version}"` } }
        return data(api.PUT('/api/v1/macros/{macro_id}', { params, body: told(values, row) }))
      }}
      remove={(row) => data(api.DELETE('/api/v1/macros/{macro_id}', { params: { path: { macro_id: row.id } } }))}
      deeds={deeds}
    />
  )
}
