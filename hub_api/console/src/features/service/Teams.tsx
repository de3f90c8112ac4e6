/** Teams: who is in them, and which queues are theirs. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds } from '../../shared/admin/useAdmin'
import { useColleagues } from '../../shared/useColleagues'
import { Kept } from './Kept'
import type { Team } from './useTeams'

export function Teams() {
  const { t } = useTranslation('admin')
  const changes = useMay('teams:write')
  const people = useColleagues()
  const deeds = useDeeds(['teams'])
  const asked = useQuery({
    queryKey: ['teams'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/teams', { signal }))).items,
  })
  const options = [...people.values()]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((one) => ({ value: one.user_id, label: one.name }))
  const fields: Field[] = [
    { name: 'name', label: t('team.name'), required: true, maxLength: 120 },
    { name: 'members', label: t('team.members'), kind: 'many', options },
  ]
  const member = (team_id: string, user_id: string) => ({ params: { path: { team_id, user_id } } })
  const gather = async (team_id: string, before: string[], values: Values) => {
    const now = values.members as string[]
    const path = '/api/v1/teams/{team_id}/members/{user_id}'
    for (const one of now) if (!before.includes(one)) await data(api.PUT(path, member(team_id, one)))
    for (const one of before) if (!now.includes(one)) await data(api.DELETE(path, member(team_id, one)))
  }
  const create = async (values: Values) => {
    const made = await data(api.POST('/api/v1/teams', { body: { name: String(values.name) } }))
    await gather(made.id, [], values)
  }
  const change = async (row: Team, values: Values) => {
    const params = { path: { team_id: row.id } }
    if (values.name !== row.name)
      await data(api.PATCH('/api/v1/teams/{team_id}', { params, body: { name: String(values.name) } }))
    await gather(row.id, row.members, values)
  }
  return (
    <Kept
      label={t('service.teams')}
      newLabel={t('team.new')}
      empty={t('team.none')}
      reading={asked}
      rows={asked.data ?? []}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('team.name'), show: (one) => one.name },
        {
          label: t('team.members'),
          show: (one) => one.members.map((id) => people.get(id)?.name ?? '…').join(', ') || '–',
        },
        { label: t('team.queues'), show: (one) => one.queues.join(', ') || '–' },
      ]}
      fields={() => fields}
      start={(row) => (row ? { name: row.name, members: row.members } : {})}
      create={changes ? create : undefined}
      change={changes ? change : undefined}
      remove={
        changes
          ? (row) => data(api.DELETE('/api/v1/teams/{team_id}', { params: { path: { team_id: row.id } } }))
          : undefined
      }
      deeds={deeds}
    />
  )
}
