/** Queues: who is served in them, when they are open, and what happens when nobody is free. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import type { Queue } from '../../api/types'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { fromLevels, levels, list, number, words } from '../../shared/admin/values'
import { openingHours } from '../../shared/format'
import { Kept } from './Kept'
import { useTeams } from './useTeams'

type NewQueue = components['schemas']['NewQueue']

const STRATEGIES = ['least_busy', 'round_robin', 'weighted', 'last_agent'] as const

export function Queues() {
  const { t, i18n } = useTranslation('admin')
  const deeds = useDeeds(['admin-queues'], ['queues'])
  const givesTeams = useMay('teams:write')
  const teams = useTeams()
  const { reading, rows } = usePages<Queue>(['admin-queues'], (cursor, signal) =>
    data(api.GET('/api/v1/queues', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const others = (row: Queue | null) => [
    { value: '', label: t('queue.no_overflow') },
    ...rows.filter((one) => one.key !== row?.key).map((one) => ({ value: one.key, label: one.name })),
  ]
  const team: Field = {
    name: 'team_id',
    label: t('queue.team'),
    kind: 'select',
    options: [{ value: '', label: t('queue.any_team') }, ...teams.map((one) => ({ value: one.id, label: one.name }))],
  }
  const fields = (row: Queue | null): Field[] => [
    ...(row ? [] : [{ name: 'key', label: t('queue.key'), required: true, help: t('queue.key_help') } as Field]),
    { name: 'name', label: t('queue.name'), required: true, maxLength: 120 },
    ...(givesTeams ? [team] : []),
    { name: 'active', label: t('queue.active'), kind: 'switch' },
    { name: 'is_default', label: t('queue.is_default'), kind: 'switch' },
    { name: 'business_hours', label: t('queue.hours'), help: t('queue.hours_help') },
    { name: 'holidays_closed', label: t('queue.holidays_closed'), kind: 'switch' },
    {
      name: 'strategy',
      label: t('queue.strategy'),
      kind: 'select',
      options: STRATEGIES.map((value) => ({ value, label: t(`queue.strategies.${value}`) })),
    },
    { name: 'skills', label: t('queue.skills'), help: t('queue.skills_help') },
    { name: 'languages', label: t('queue.languages'), help: t('queue.languages_help') },
    { name: 'overflow_queue', label: t('queue.overflow'), kind: 'select', options: others(row) },
    { name: 'overflow_after_s', label: t('queue.overflow_after'), kind: 'number', min: 1 },
    { name: 'escalate_after_s', label: t('queue.escalate_after'), kind: 'number', min: 1 },
    { name: 'escalate_to', label: t('queue.escalate_to'), kind: 'number', min: 2, max: 5 },
    {
      name: 'on_lost',
      label: t('queue.on_lost'),
      kind: 'select',
      options: (['return', 'keep'] as const).map((value) => ({ value, label: t(`queue.lost.${value}`) })),
    },
    { name: 'keep_minutes', label: t('queue.keep_minutes'), kind: 'number', min: 1, max: 1440 },
    { name: 'disposition_required', label: t('queue.disposition_required'), kind: 'switch' },
    { name: 'waiting_text', label: t('queue.waiting_text'), kind: 'long', maxLength: 1000 },
    { name: 'closed_text', label: t('queue.closed_text'), kind: 'long', maxLength: 1000 },
    { name: 'hook_url', label: t('queue.hook_url'), help: t('queue.hook_help'), maxLength: 500 },
  ]
  const rules = (values: Values) => ({
    name: String(values.name),
    active: values.active === true,
    is_default: values.is_default === true,
    business_hours: words(values.business_hours),
    holidays_closed: values.holidays_closed === true,
    strategy: values.strategy as (typeof STRATEGIES)[number],
    skills: levels(values.skills),
    languages: list(values.languages),
    overflow_queue: words(values.overflow_queue),
    overflow_after_s: words(values.overflow_queue) ? number(values.overflow_after_s) : null,
    escalate_after_s: number(values.escalate_to) ? number(values.escalate_after_s) : null,
    escalate_to: number(values.escalate_after_s) ? number(values.escalate_to) : null,
    on_lost: values.on_lost as 'return' | 'keep',
    keep_minutes: number(values.keep_minutes) ?? 5,
    disposition_required: values.disposition_required === true,
    hook_url: words(values.hook_url),
    waiting_text: words(values.waiting_text),
    closed_text: words(values.closed_text),
  })
  const setTeam = (key: string, team_id: string | null) =>
    data(api.PUT('/api/v1/queues/{key}/team', { params: { path: { key } }, body: { team_id } }))
  const create = async (values: Values) => {
    const { waiting_text, closed_text, ...rest } = rules(values)
    // Without words of one's own the hub's are told; a queue that says nothing is made so afterwards.
    const texts = { ...(waiting_text ? { waiting_text } : {}), ...(closed_text ? { closed_text } : {}) }
    const body = { key: String(values.key), team_id: words(values.team_id), ...rest, ...texts } as NewQueue
    const header = { 'idempotency-key': crypto.randomUUID() }
    await data(api.POST('/api/v1/queues', { params: { header }, body }))
  }
  const change = async (row: Queue, values: Values) => {
    const kept = { hook_timeout_ms: row.hook_timeout_ms } // what the form does not show stays as it is
    const params = { path: { key: row.key }, header: { 'if-match': `"${row.version}"` } }
    await data(api.PUT('/api/v1/queues/{key}', { params, body: { ...kept, ...rules(values) } }))
    const team_id = words(values.team_id)
    if (givesTeams && team_id !== row.team_id) await setTeam(row.key, team_id)
  }
  return (
    <Kept
      label={t('service.queues')}
      newLabel={t('queue.new')}
      empty={t('queue.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('queue.name'), show: (one) => `${one.name} (${one.key})` },
        {
          label: t('queue.team'),
          show: (one) => teams.find((other) => other.id === one.team_id)?.name ?? t('queue.any_team'),
        },
        {
          label: t('queue.hours'),
          show: (one) => (one.business_hours ? openingHours(one.business_hours, i18n.language) : t('queue.always')),
        },
        {
          label: t('queue.open_now'),
          show: (one) => t(one.active ? (one.is_open ? 'yes' : 'queue.closed') : 'queue.inactive'),
        },
        { label: t('queue.strategy'), show: (one) => t(`queue.strategies.${one.strategy ?? 'least_busy'}`) },
        { label: t('queue.waiting'), show: (one) => String(one.waiting) },
        { label: t('queue.lacks'), show: (one) => (one.lacks.length > 0 ? one.lacks.join(', ') : '–') },
      ]}
      fields={fields}
      start={(row) =>
        row
          ? ({
              ...row,
              team_id: row.team_id ?? '',
              overflow_queue: row.overflow_queue ?? '',
              business_hours: row.business_hours ?? '',
              waiting_text: row.waiting_text ?? '',
              closed_text: row.closed_text ?? '',
              overflow_after_s: row.overflow_after_s ?? null,
              escalate_after_s: row.escalate_after_s ?? null,
              escalate_to: row.escalate_to ?? null,
              on_lost: row.on_lost ?? 'return',
              keep_minutes: row.keep_minutes ?? 5,
              disposition_required: row.disposition_required ?? false,
              hook_url: row.hook_url ?? '',
              skills: fromLevels(row.skills),
              languages: (row.languages ?? []).join(', '),
              active: row.active ?? true,
              is_default: row.is_default ?? false,
              holidays_closed: row.holidays_closed ?? true,
            } as unknown as Values)
          : { active: true, holidays_closed: true, strategy: 'least_busy', on_lost: 'return', keep_minutes: 5 }
      }
      create={create}
      change={change}
      remove={(row) => data(api.DELETE('/api/v1/queues/{key}', { params: { path: { key: row.key } } }))}
      deeds={deeds}
    />
  )
}
