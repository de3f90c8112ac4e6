/** The texts that people consent to, by version: one is published, and retired, never changed. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import { useDeeds } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
import { Kept } from '../service/Kept'

type Text = components['schemas']['Text']
const SCOPES = ['marketing', 'utility', 'all', 'service'] as const

export function ConsentTexts() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('privacy:write')
  const deeds = useDeeds(['consent-texts'])
  const asked = useQuery({
    queryKey: ['consent-texts'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/privacy/consent-texts', { signal }))).items,
  })
  const fields: Field[] = [
    { name: 'version', label: t('consent.version'), required: true, maxLength: 60, help: t('consent.version_help') },
    {
      name: 'scope',
      label: t('consent.scope'),
      kind: 'select',
      options: SCOPES.map((value) => ({ value, label: t(`consent.scopes.${value}`) })),
    },
    { name: 'text', label: t('consent.text'), kind: 'long', required: true, maxLength: 5000 },
  ]
  const publish = (values: Values) => {
    const { version, scope, text } = values
    const body = { version: String(version), scope: scope as Text['scope'], text: String(text) }
    return data(api.POST('/api/v1/privacy/consent-texts', { body }))
  }
  const retire = (row: Text) =>
    deeds.open(
      <FormDialog
        title={t('consent.retire')}
        text={t('consent.retire_help', { version: row.version })}
        confirm={t('consent.retire')}
        onSubmit={async () => {
          const path = { version: row.version }
          await data(api.POST('/api/v1/privacy/consent-texts/{version}/retire', { params: { path } }))
          await deeds.done(t('done'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <Kept
      label={t('settings.texts')}
      newLabel={t('consent.new')}
      empty={t('consent.none')}
      reading={asked}
      rows={asked.data ?? []}
      keyOf={(one) => one.version}
      nameOf={(one) => one.version}
      columns={[
        { label: t('consent.version'), show: (one) => one.version },
        { label: t('consent.scope'), show: (one) => t(`consent.scopes.${one.scope}`) },
        { label: t('consent.text'), show: (one) => one.text },
        {
          label: t('consent.state'),
          show: (one) =>
            one.retired_at
              ? t('consent.retired', { at: dateTime(one.retired_at, i18n.language) })
              : t('consent.published', { at: dateTime(one.created_at, i18n.language) }),
        },
      ]}
      fields={() => fields}
      start={() => ({ scope: 'marketing' })}
      {...(changes && { create: publish, more: [{ label: t('consent.retire'), run: retire }] })}
      deeds={deeds}
    />
  )
}
