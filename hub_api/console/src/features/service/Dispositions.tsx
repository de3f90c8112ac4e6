/** Outcomes with which conversations end. One that was used stays known: it is made inactive. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Disposition } from '../../api/types'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds } from '../../shared/admin/useAdmin'
import { Kept } from './Kept'

export function Dispositions() {
  const { t } = useTranslation('admin')
  const deeds = useDeeds(['admin-dispositions'], ['dispositions'])
  const asked = useQuery({
    queryKey: ['admin-dispositions'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/dispositions', { signal }))).items,
  })
  const fields = (row: Disposition | null): Field[] => [
    ...(row ? [] : [{ name: 'key', label: t('disposition.key'), required: true, help: t('queue.key_help') } as Field]),
    { name: 'name', label: t('disposition.name'), required: true, maxLength: 120 },
    { name: 'active', label: t('disposition.active'), kind: 'switch' },
  ]
  const put = (key: string, values: Values) => {
    const body = { name: String(values.name), active: values.active === true }
    return data(api.PUT('/api/v1/dispositions/{key}', { params: { path: { key } }, body }))
  }
  return (
    <Kept
      label={t('service.dispositions')}
      newLabel={t('disposition.new')}
      empty={t('disposition.none')}
      reading={asked}
      rows={asked.data ?? []}
      keyOf={(one) => one.key}
      nameOf={(one) => one.name}
      columns={[
        { label: t('disposition.name'), show: (one) => one.name },
        { label: t('disposition.key'), show: (one) => one.key },
        { label: t('disposition.active'), show: (one) => t(one.active ? 'yes' : 'no') },
      ]}
      fields={fields}
      start={(row) => (row ? { name: row.name, active: row.active ?? true } : { active: true })}
      create={(values) => put(String(values.key), values)}
      change={(row, values) => put(row.key, values)}
      deeds={deeds}
    />
  )
}
