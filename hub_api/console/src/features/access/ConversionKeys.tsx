/** Keys by which other systems sign what customers did: payments, purchases, cancellations (/webhooks/conversions). */
import { Alert } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { useDeeds } from '../../shared/admin/useAdmin'
import { KeyList, Made } from './KeyList'

export function ConversionKeys() {
  const { t } = useTranslation('admin')
  const changes = useMay('keys:write')
  const deeds = useDeeds(['conversion-keys'])
  const asked = useQuery({
    queryKey: ['conversion-keys'],
    queryFn: ({ signal }) => data(api.GET('/api/v1/conversion-keys', { signal })),
  })
  const make = () =>
    deeds.open(
      <FormDialog
        title={t('key.new')}
        text={t('conversion_key.new_help')}
        fields={[{ name: 'name', label: t('conversion_key.system'), required: true, maxLength: 120 }]}
        confirm={t('key.new')}
        onSubmit={async (values) => {
          const made = await data(api.POST('/api/v1/conversion-keys', { body: { name: String(values.name) } }))
          await deeds.done(t('key.made'))
          // After the form has closed itself.
          setTimeout(() => deeds.open(<Made id={made.id} secret={made.secret} onClose={deeds.close} />))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      <Alert severity="info" sx={{ mb: 2 }}>
        {t('conversion_key.help')}
      </Alert>
      <KeyList
        label={t('access.conversions')}
        reading={asked}
        rows={asked.data?.items ?? []}
        columns={[{ label: t('key.id'), show: (one) => <code>{one.id}</code> }]}
        make={changes ? make : undefined}
        revoke={(one) => data(api.DELETE('/api/v1/conversion-keys/{key_id}', { params: { path: { key_id: one.id } } }))}
        revokeHelp={(one) => t('conversion_key.revoke_help', { name: one.name })}
        deeds={deeds}
      />
    </>
  )
}
