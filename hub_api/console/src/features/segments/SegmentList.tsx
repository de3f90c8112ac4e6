/** Segments in use: how many are in each, since when, and which campaigns speak of it. */
import { Link as MuiLink, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { useDeeds } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
import { type Segment, useSegments } from './useSegments'

/** Campaigns that have a segment as their audience, newest first; of the last 200. */
function useUses() {
  return useQuery({
    queryKey: ['segment-uses'],
    queryFn: async ({ signal }) => {
      const page = await data(api.GET('/api/v1/campaigns', { params: { query: { limit: 200 } }, signal }))
      const found = new Map<string, string[]>()
      for (const { name, audience } of page.items) {
        if (audience.segment_id) found.set(audience.segment_id, [...(found.get(audience.segment_id) ?? []), name])
      }
      return found
    },
  })
}

function useSizes() {
  return useQuery({
    queryKey: ['segment-sizes'],
    queryFn: async ({ signal }) => {
      const told = await data(api.GET('/api/v1/segments/sizes', { signal }))
      return new Map(told.items.map((one) => [one.segment_id, one]))
    },
  })
}

export function SegmentList({ name }: { name: string }) {
  const { t, i18n } = useTranslation('audience')
  const changes = useMay('campaigns:write')
  const [, go] = useLocation()
  const reading = useSegments()
  const uses = useUses()
  const sizes = useSizes()
  const deeds = useDeeds(['segments'], ['segment-sizes'])
  const wanted = name.trim().toLocaleLowerCase()
  const rows = (reading.data ?? []).filter((one) => one.name.toLocaleLowerCase().includes(wanted))
  const path = (one: Segment) => ({ path: { segment_id: one.id } })
  const freeze = (one: Segment) => {
    const header = { 'idempotency-key': crypto.randomUUID() }
    return deeds.open(
      <FormDialog
        title={t('segments.freeze_of', { name: one.name })}
        text={t('segments.freeze_help')}
        confirm={t('segments.freeze')}
        onSubmit={async () => {
          const params = { ...path(one), header }
          const made = await data(api.POST('/api/v1/segments/{segment_id}/snapshots', { params }))
          await deeds.done(t('segments.frozen', { count: made.members ?? 0 }))
          go(`/segments/${one.id}/frozen`)
        }}
        onClose={deeds.close}
      />,
    )
  }
  const putAway = (one: Segment) =>
    deeds.open(
      <FormDialog
        title={t('segments.away_of', { name: one.name })}
        text={t('segments.away_help')}
        confirm={t('segments.away')}
        danger
        onSubmit={async () => {
          await data(api.DELETE('/api/v1/segments/{segment_id}', { params: path(one) }))
          await deeds.done(t('segments.gone'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      <Listing
        label={t('segments.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t(wanted ? 'segments.no_match' : 'segments.none')}
        columns={[
          {
            label: t('segment.name'),
            show: (one) => (
              <>
                <MuiLink component={Link} href={`/segments/${one.id}`} sx={{ fontWeight: 600 }}>
                  {one.name}
                </MuiLink>
                {one.description && (
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {one.description}
                  </Typography>
                )}
              </>
            ),
          },
          {
            label: t('segments.size'),
            show: (one) => sizes.data?.get(one.id)?.members.toLocaleString(i18n.language) ?? t('segments.not_yet'),
          },
          {
            label: t('segments.fresh'),
            show: (one) => {
              const size = sizes.data?.get(one.id)
              if (!size) return '–'
              const at = dateTime(size.computed_at, i18n.language)
              return size.version === one.version ? at : t('segments.older', { at, version: size.version })
            },
          },
          { label: t('segments.kind'), show: () => t('segments.rule') },
          { label: t('segments.version'), show: (one) => one.version },
          { label: t('segments.uses'), show: (one) => uses.data?.get(one.id)?.join(', ') ?? '–' },
        ]}
        deeds={[
          { label: t('segments.open'), run: (one) => go(`/segments/${one.id}`) },
          { label: t('segments.members'), run: (one) => go(`/segments/${one.id}/members`) },
          ...(changes
            ? [
                { label: t('segments.copy'), run: (one: Segment) => go(`/segments/new?copy=${one.id}`) },
                { label: t('segments.freeze'), run: freeze },
                { label: t('segments.away'), run: putAway },
              ]
            : []),
        ]}
      />
      {deeds.shown}
    </>
  )
}
