/** Whom a campaign is for, by name. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import { dateTime } from '../../../shared/format'
import type { Campaign } from '../plan'
import { useUpload } from '../wizard/CsvUpload'

export function AudienceName({ audience }: { audience: Campaign['audience'] }) {
  const { t, i18n } = useTranslation('campaigns')
  const upload = useUpload(audience.upload_id ?? undefined)
  const snapshot = useQuery({
    queryKey: ['snapshot', audience.snapshot_id],
    enabled: Boolean(audience.snapshot_id),
    queryFn: ({ signal }) => {
      const path = { snapshot_id: audience.snapshot_id ?? '' }
      return data(api.GET('/api/v1/segments/snapshots/{snapshot_id}', { params: { path }, signal }))
    },
  })
  const id = audience.segment_id ?? snapshot.data?.segment_id ?? null
  const segment = useQuery({
    queryKey: ['segment', id],
    enabled: id !== null,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/segments/{segment_id}', { params: { path: { segment_id: id ?? '' } }, signal })),
  })
  if (upload.data)
    return t('plan.file', { name: upload.data.name, number: upload.data.accepted.toLocaleString(i18n.language) })
  if (audience.definition) return t('plan.definition')
  if (!segment.data) return '…'
  if (snapshot.data)
    return t('plan.snapshot', { name: segment.data.name, at: dateTime(snapshot.data.created_at, i18n.language) })
  return t('plan.segment', { name: segment.data.name })
}
