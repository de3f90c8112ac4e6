/** Keys of programs. A key is shown once, when it is made. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay, useMe } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
import { KeyList, Made } from './KeyList'
import { usePermissionName } from './usePermissionName'

type Key = components['schemas']['Key']

export function Keys() {
  const { t, i18n } = useTranslation('admin')
  const me = useMe()
  const changes = useMay('keys:write')
  const deeds = useDeeds(['keys'])
  const nameOf = usePermissionName()
  const { reading, rows } = usePages<Key>(['keys'], (cursor, signal) =>
    data(api.GET('/api/v1/keys', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const make = () =>
    deeds.open(
      <FormDialog
        title={t('key.new')}
        fields={[
          { name: 'name', label: t('key.name'), required: true, maxLength: 100 },
          {
            name: 'scopes',
            label: t('key.scopes'),
            kind: 'many',
            required: true,
            options: me.permissions.map((value) => ({ value, label: nameOf(value) })),
          },
          { name: 'days', label: t('key.days'), kind: 'number', min: 1, max: 3650, help: t('key.days_help') },
        ]}
        start={{ days: 365 }}
        confirm={t('key.new')}
        onSubmit={async (values) => {
          const days = typeof values.days === 'number' ? values.days : null
          const expires_at = days === null ? null : new Date(Date.now() + days * 86_400_000).toISOString()
          const body = { name: String(values.name), scopes: values.scopes as string[], expires_at }
          const made = await data(api.POST('/api/v1/keys', { body }))
          await deeds.done(t('key.made'))
          setTimeout(() => deeds.open(<Made secret={made.key} onClose={deeds.close} />)) // after the form has closed itself
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <KeyList
      label={t('access.keys')}
      reading={reading}
      rows={rows}
      columns={[
        { label: t('key.scopes'), show: (one) => one.scopes.map(nameOf).join(', ') },
        {
          label: t('key.expires'),
          show: (one) => (one.expires_at ? dateTime(one.expires_at, i18n.language) : t('key.never')),
        },
      ]}
      make={changes ? make : undefined}
      revoke={(one) => data(api.DELETE('/api/v1/keys/{key_id}', { params: { path: { key_id: one.id } } }))}
      revokeHelp={(one) => t('key.revoke_help', { name: one.name })}
      deeds={deeds}
    />
  )
}
