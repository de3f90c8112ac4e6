/** Roles and what they may do; those that come with the hub cannot be changed. */
import { Button, Chip, Stack } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { useDeeds } from '../../shared/admin/useAdmin'
import { usePermissionName } from './usePermissionName'
import { useRoleTitle } from './useRoleTitle'

type Role = components['schemas']['Role']
const SHOWN = 6
// A long name takes two lines on a phone, rather than being cut off.
const WRAPPED = { height: 'auto', minHeight: 24, '& .MuiChip-label': { whiteSpace: 'normal' } } as const

export function Roles() {
  const { t } = useTranslation('admin')
  const changes = useMay('roles:write')
  const deeds = useDeeds(['roles'])
  const asked = useQuery({ queryKey: ['roles'], queryFn: ({ signal }) => data(api.GET('/api/v1/roles', { signal })) })
  const nameOf = usePermissionName()
  const titleOf = useRoleTitle()
  const known = Object.keys(asked.data?.permissions ?? {})
  const common: Field[] = [
    { name: 'title', label: t('role.title'), required: true, maxLength: 100 },
    {
      name: 'permissions',
      label: t('role.permissions'),
      kind: 'many',
      options: known.map((value) => ({ value, label: nameOf(value) })),
      required: true,
    },
    { name: 'all_teams', label: t('role.all_teams'), kind: 'switch' },
    { name: 'second_factor', label: t('role.second_factor'), kind: 'switch' },
  ]
  const told = (values: Values) => ({
    title: String(values.title),
    permissions: values.permissions as string[],
    all_teams: values.all_teams === true,
    second_factor: values.second_factor === true,
  })
  const path = (role: Role) => ({ path: { name: role.name } })
  return (
    <>
      {changes && (
        <Button
          variant="contained"
          startIcon={<Plus size={18} />}
          sx={{ mb: 2 }}
          onClick={() =>
            deeds.open(
              <FormDialog
                title={t('role.new')}
                fields={[
                  { name: 'name', label: t('role.name'), required: true, help: t('role.name_help'), maxLength: 40 },
                  ...common,
                ]}
                confirm={t('role.new')}
                onSubmit={async (values) => {
                  await data(api.POST('/api/v1/roles', { body: { name: String(values.name), ...told(values) } }))
                  await deeds.done(t('done'))
                }}
                onClose={deeds.close}
              />,
            )
          }
        >
          {t('role.new')}
        </Button>
      )}
      <Listing
        label={t('access.roles')}
        reading={asked}
        rows={asked.data?.items ?? []}
        keyOf={(one) => one.name}
        nameOf={titleOf}
        empty={t('role.none')}
        columns={[
          { label: t('role.title'), show: (one) => `${titleOf(one)} (${one.name})` },
          {
            label: t('role.permissions'),
            show: (one) => (
              <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap' }}>
                {one.permissions.slice(0, SHOWN).map((permission) => (
                  <Chip key={permission} size="small" variant="outlined" label={nameOf(permission)} sx={WRAPPED} />
                ))}
                {one.permissions.length > SHOWN && <Chip size="small" label={`+${one.permissions.length - SHOWN}`} />}
              </Stack>
            ),
          },
          { label: t('role.scope'), show: (one) => t(one.all_teams ? 'role.sees_all' : 'role.sees_own') },
          { label: t('role.second_factor'), show: (one) => t(one.second_factor ? 'yes' : 'no') },
        ]}
        deeds={
          changes
            ? [
                {
                  label: t('change'),
                  when: (one: Role) => !one.builtin,
                  run: (one: Role) =>
                    deeds.open(
                      <FormDialog
                        title={t('role.change_of', { name: one.title })}
                        fields={common}
                        start={{
                          title: one.title,
                          permissions: one.permissions,
                          all_teams: one.all_teams,
                          second_factor: one.second_factor,
                        }}
                        confirm={t('save')}
                        onSubmit={async (values) => {
                          await data(api.PATCH('/api/v1/roles/{name}', { params: path(one), body: told(values) }))
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
                {
                  label: t('remove'),
                  when: (one: Role) => !one.builtin,
                  run: (one: Role) =>
                    void deeds.run(data(api.DELETE('/api/v1/roles/{name}', { params: path(one) })), t('done')),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </>
  )
}
