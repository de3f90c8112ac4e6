/** Keys of programs. A key is shown once, when it is made. */
import { Alert, Button, Chip, Dialog, DialogActions, DialogContent, DialogTitle, TextField } from '@mui/material'
import { KeyRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay, useMe } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
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
    <>
      {changes && (
        <Button variant="contained" startIcon={<KeyRound size={18} />} sx={{ mb: 2 }} onClick={make}>
          {t('key.new')}
        </Button>
      )}
      <Listing
        label={t('access.keys')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t('key.none')}
        columns={[
          { label: t('key.name'), show: (one) => one.name },
          { label: t('key.scopes'), show: (one) => one.scopes.map(nameOf).join(', ') },
          {
            label: t('key.state'),
            show: (one) => {
              const state = stateOf(one)
              return <Chip size="small" color={state === 'valid' ? 'success' : 'default'} label={t(`key.${state}`)} />
            },
          },
          {
            label: t('key.expires'),
            show: (one) => (one.expires_at ? dateTime(one.expires_at, i18n.language) : t('key.never')),
          },
          {
            label: t('key.last_used'),
            show: (one) => (one.last_used_at ? dateTime(one.last_used_at, i18n.language) : '–'),
          },
        ]}
        deeds={
          changes
            ? [
                {
                  label: t('key.revoke'),
                  when: (one: Key) => !one.revoked_at,
                  run: (one: Key) =>
                    deeds.open(
                      <FormDialog
                        title={t('key.revoke')}
                        text={t('key.revoke_help', { name: one.name })}
                        confirm={t('key.revoke')}
                        danger
                        onSubmit={async () => {
                          await data(api.DELETE('/api/v1/keys/{key_id}', { params: { path: { key_id: one.id } } }))
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </>
  )
}

function stateOf(key: Key): 'revoked' | 'expired' | 'valid' {
  if (key.revoked_at) return 'revoked'
  return key.expires_at && Date.parse(key.expires_at) <= Date.now() ? 'expired' : 'valid'
}

function Made({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useTranslation('admin')
  return (
    <Dialog open aria-labelledby="key-title" fullWidth maxWidth="sm">
      <DialogTitle id="key-title">{t('key.made')}</DialogTitle>
      <DialogContent>
        <Alert severity="warning" sx={{ mb: 2 }}>
          {t('key.once')}
        </Alert>
        <TextField
          id="made-key"
          label={t('key.secret')}
          value={secret}
          fullWidth
          slotProps={{ htmlInput: { readOnly: true, style: { fontFamily: 'monospace' } } }}
        />
      </DialogContent>
      <DialogActions>
        <Button onClick={() => void navigator.clipboard?.writeText(secret)}>{t('key.copy')}</Button>
        <Button variant="contained" onClick={onClose}>
          {t('key.kept')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
