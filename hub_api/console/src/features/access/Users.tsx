/** People: invite, change, disable, end their sessions, take away a lost second factor. */
import { Button, Chip, Stack } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { UserPlus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay, useMe } from '../../app/session'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { dateTime } from '../../shared/format'
import { SessionsDialog } from './SessionsDialog'
import { BUILTIN_ROLES, useRoleTitle } from './useRoleTitle'

type User = components['schemas']['User']

export function useRoleNames() {
  const titleOf = useRoleTitle()
  const asked = useQuery({
    queryKey: ['roles'],
    enabled: useMay('roles:read'),
    queryFn: ({ signal }) => data(api.GET('/api/v1/roles', { signal })),
  })
  return (
    asked.data?.items.map((one) => ({ value: one.name, label: titleOf(one) })) ??
    BUILTIN_ROLES.map((one) => ({ value: one, label: titleOf({ name: one }) }))
  )
}

export function Users() {
  const { t, i18n } = useTranslation('admin')
  const me = useMe()
  const changes = useMay('users:write')
  const roles = useRoleNames()
  const deeds = useDeeds(['users'])
  const { reading, rows } = usePages<User>(['users'], (cursor, signal) =>
    data(api.GET('/api/v1/users', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('user.name'), required: true, maxLength: 200 },
    { name: 'email', label: t('user.email'), kind: 'email', required: true },
    { name: 'role', label: t('user.role'), kind: 'select', options: roles, required: true },
    { name: 'phone', label: t('user.phone'), help: t('user.phone_help') },
  ]
  const path = (user: User) => ({ path: { user_id: user.id } })
  const invite = async (values: Values) => {
    const body = {
      name: String(values.name),
      email: String(values.email),
      role: String(values.role),
      phone: words(values.phone),
      invite: true,
    }
    await data(api.POST('/api/v1/users', { body }))
    await deeds.done(t('user.invited', { email: body.email }))
  }
  const change = (user: User, body: components['schemas']['UserChange']) =>
    data(
      api.PATCH('/api/v1/users/{user_id}', {
        params: { ...path(user), header: { 'if-match': `"${user.version}"` } },
        body,
      }),
    )
  const ask = (title: string, text: string, deed: () => Promise<unknown>, danger = true) =>
    deeds.open(
      <FormDialog
        title={title}
        text={text}
        confirm={t('confirm')}
        danger={danger}
        onSubmit={async () => {
          await deed()
          await deeds.done(t('done'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      {changes && (
        <Button
          variant="contained"
          startIcon={<UserPlus size={18} />}
          sx={{ mb: 2 }}
          onClick={() =>
            deeds.open(
              <FormDialog
                title={t('user.invite')}
                fields={fields}
                start={{ role: 'agent' }}
                confirm={t('user.invite')}
                onSubmit={invite}
                onClose={deeds.close}
              />,
            )
          }
        >
          {t('user.invite')}
        </Button>
      )}
      <Listing
        label={t('access.users')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t('user.none')}
        columns={[
          { label: t('user.name'), show: (one) => one.name },
          { label: t('user.email'), show: (one) => one.email },
          { label: t('user.role'), show: (one) => roles.find((role) => role.value === one.role)?.label ?? one.role },
          {
            label: t('user.state'),
            show: (one) => (
              <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap' }}>
                <Chip
                  size="small"
                  color={one.active ? 'success' : 'default'}
                  label={t(one.active ? 'user.active' : 'user.inactive')}
                />
                {one.second_factor_at && <Chip size="small" variant="outlined" label={t('user.second_factor')} />}
              </Stack>
            ),
          },
          {
            label: t('user.last_seen'),
            show: (one) => (one.last_sign_in_at ? dateTime(one.last_sign_in_at, i18n.language) : t('user.never')),
          },
        ]}
        deeds={[
          { label: t('user.sessions'), run: (one) => deeds.open(<SessionsDialog user={one} onClose={deeds.close} />) },
          ...(changes
            ? [
                {
                  label: t('user.change'),
                  run: (one: User) =>
                    deeds.open(
                      <FormDialog
                        title={t('user.change_of', { name: one.name })}
                        fields={fields}
                        start={{ name: one.name, email: one.email, role: one.role, phone: one.phone ?? '' }}
                        confirm={t('save')}
                        onSubmit={async (values) => {
                          const told = {
                            name: String(values.name),
                            email: String(values.email),
                            role: String(values.role),
                            phone: words(values.phone),
                          }
                          await change(one, told)
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
                {
                  label: t('user.invite_again'),
                  when: (one: User) => one.active && !one.last_sign_in_at,
                  run: (one: User) =>
                    void deeds.run(
                      data(api.POST('/api/v1/users/{user_id}/invite', { params: path(one) })),
                      t('user.invited', { email: one.email }),
                    ),
                },
                {
                  label: t('user.reset_second_factor'),
                  when: (one: User) => one.second_factor_at !== null,
                  run: (one: User) =>
                    ask(t('user.reset_second_factor'), t('user.reset_help', { name: one.name }), () =>
                      data(api.POST('/api/v1/users/{user_id}/second-factor/reset', { params: path(one) })),
                    ),
                },
                {
                  label: t('user.end_sessions'),
                  run: (one: User) =>
                    ask(t('user.end_sessions'), t('user.end_help', { name: one.name }), () =>
                      data(api.DELETE('/api/v1/users/{user_id}/sessions', { params: path(one) })),
                    ),
                },
                {
                  label: t('user.disable'),
                  when: (one: User) => one.active && one.id !== me.id,
                  run: (one: User) =>
                    ask(t('user.disable'), t('user.disable_help', { name: one.name }), () =>
                      change(one, { active: false }),
                    ),
                },
                {
                  label: t('user.enable'),
                  when: (one: User) => !one.active,
                  run: (one: User) => void deeds.run(change(one, { active: true }), t('done')),
                },
              ]
            : []),
        ]}
      />
      {deeds.shown}
    </>
  )
}
