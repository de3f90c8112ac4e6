/** Segments: the list of them, or one of them with its rules, members, frozen lists and versions. */
import { Button, Stack, TextField } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { ArrowLeft, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useParams, useSearch } from 'wouter'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { Page } from '../../shared/admin/Page'
import { useDeeds } from '../../shared/admin/useAdmin'
import { Failed, Loading } from '../../shared/States'
import { Builder } from './Builder'
import { Frozen, Members, Versions } from './History'
import { SegmentList } from './SegmentList'
import { useCatalogue, useSegments } from './useSegments'

const PARTS = ['rules', 'members', 'frozen', 'versions'] as const
type Part = (typeof PARTS)[number]

export default function SegmentsPage() {
  const { id } = useParams<{ id?: string }>()
  return id ? <One key={id} id={id} /> : <All />
}

function All() {
  const { t } = useTranslation('audience')
  const changes = useMay('campaigns:write')
  const [name, setName] = useState('')
  return (
    <Page
      title={t('segments.title')}
      subtitle={t('segments.subtitle')}
      actions={
        <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
          <TextField
            id="segments-find"
            size="small"
            type="search"
            label={t('segments.find')}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          {changes && (
            <Button variant="contained" component={Link} href="/segments/new" startIcon={<Plus size={18} />}>
              {t('segments.new')}
            </Button>
          )}
        </Stack>
      }
    >
      <SegmentList name={name} />
    </Page>
  )
}

function One({ id }: { id: string }) {
  const { t } = useTranslation('audience')
  const { part: asked } = useParams<{ part?: string }>()
  const [, go] = useLocation()
  const isNew = id === 'new'
  const search = useSearch()
  const source = isNew ? new URLSearchParams(search).get('copy') : id
  const catalogue = useCatalogue()
  const segments = useSegments()
  const deeds = useDeeds()
  const one = useQuery({
    queryKey: ['segments', source],
    enabled: source !== null,
    gcTime: 0,
    refetchOnWindowFocus: false, // a page under the hands of its writer stays as it is
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/segments/{segment_id}', { params: { path: { segment_id: source ?? '' } }, signal })),
  })
  const part: Part = PARTS.find((known) => known === asked) ?? 'rules'
  const failed = [catalogue, segments, ...(source === null ? [] : [one])].find((read) => read.isError)
  const waits = catalogue.isPending || segments.isPending || (source !== null && one.isPending)
  const title = isNew ? t('segments.new') : (one.data?.name ?? t('segments.title'))
  return (
    <Page
      title={title}
      subtitle={one.data && !isNew ? t('segment.at_version', { version: one.data.version }) : t('segment.subtitle')}
      actions={
        <Button component={Link} href="/segments" startIcon={<ArrowLeft size={18} />}>
          {t('segments.all')}
        </Button>
      }
      parts={isNew ? [] : PARTS.map((key) => ({ key, label: t(`part.${key}`) }))}
      base={`/segments/${id}`}
      part={part}
    >
      {failed ? (
        <Failed error={failed.error} onRetry={() => void failed.refetch()} />
      ) : waits ? (
        <Loading />
      ) : part === 'rules' || isNew ? (
        <Builder
          key={`${one.data?.id ?? 'new'}-${one.data?.version ?? 0}-${one.data?.updated_at ?? ''}`}
          segment={isNew ? null : (one.data ?? null)}
          copy={isNew ? (one.data ?? null) : null}
          catalogue={catalogue.data as NonNullable<typeof catalogue.data>}
          segments={segments.data ?? []}
          onSaved={(saved) => {
            void deeds.done(t('segment.saved', { version: saved.version }))
            if (isNew) go(`/segments/${saved.id}`, { replace: true })
          }}
        />
      ) : (
        <>
          {part === 'members' && <Members id={id} />}
          {part === 'frozen' && <Frozen id={id} />}
          {part === 'versions' && <Versions id={id} />}
        </>
      )}
      {deeds.shown}
    </Page>
  )
}
