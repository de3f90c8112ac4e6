/** A segment out of those that are kept, with how many are in it now, and its frozen lists. */
import { Alert, Autocomplete, Box, Button, CircularProgress, Stack, TextField, Typography } from '@mui/material'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Snowflake } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import type { components } from '../../../api/schema'
import { useMay } from '../../../app/session'
import { date, dateTime } from '../../../shared/format'
import { Failed } from '../../../shared/States'
import { wordsFor } from '../../../shared/words'
import { Choice } from './fields'

type Segment = components['schemas']['Segment']
type Snapshot = components['schemas']['Snapshot']

export interface Picked {
  segment_id?: string
  snapshot_id?: string
}

interface Props {
  /** A segment as it will be when the campaign begins, or a frozen list of one. */
  by: 'segment' | 'snapshot'
  picked: Picked
  onPick: (next: Picked) => void
}

export function AudiencePicker({ by, picked, onPick }: Props) {
  const { t, i18n } = useTranslation('campaigns')
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<string | null>(picked.segment_id ?? null)
  const frozen = useQuery({
    queryKey: ['snapshot', picked.snapshot_id],
    enabled: Boolean(picked.snapshot_id),
    queryFn: ({ signal }) => {
      const path = { snapshot_id: picked.snapshot_id ?? '' }
      return data(api.GET('/api/v1/segments/snapshots/{snapshot_id}', { params: { path }, signal }))
    },
  })
  const id = chosen ?? frozen.data?.segment_id ?? null
  const one = useQuery({
    queryKey: ['segment', id],
    enabled: id !== null,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/segments/{segment_id}', { params: { path: { segment_id: id ?? '' } }, signal })),
  })
  const found = useQuery({
    queryKey: ['segments', 'picker', search],
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const query = { limit: 50, ...(search ? { name: search } : {}) }
      return (await data(api.GET('/api/v1/segments', { params: { query }, signal }))).items
    },
  })
  const pick = (segment: Segment | null) => {
    setChosen(segment?.id ?? null)
    onPick(segment && by === 'segment' ? { segment_id: segment.id } : {})
  }
  if (found.isError) return <Failed error={found.error} onRetry={() => void found.refetch()} />
  return (
    <Stack sx={{ gap: 2 }}>
      <Autocomplete
        options={found.data ?? []}
        loading={found.isPending}
        value={one.data ?? null}
        onChange={(_, next) => pick(next)}
        onInputChange={(_, next, reason) => reason === 'input' && setSearch(next)}
        filterOptions={(all) => all}
        getOptionLabel={(segment) => segment.name}
        getOptionKey={(segment) => segment.id}
        isOptionEqualToValue={(a, b) => a.id === b.id}
        noOptionsText={t('audience.no_segments')}
        loadingText={t('audience.reading')}
        openText={t('audience.open')}
        closeText={t('audience.close')}
        clearText={t('audience.clear')}
        renderOption={({ key, ...props }, segment) => (
          <Box component="li" key={key} {...props}>
            <Box>
              <Typography>{segment.name}</Typography>
              <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                {segment.description}
              </Typography>
            </Box>
          </Box>
        )}
        renderInput={(props) => <TextField {...props} label={t('audience.segment')} required />}
      />
      {one.data && <Count segment={one.data} />}
      {one.data && by === 'snapshot' && (
        <Frozen
          segment={one.data}
          picked={picked.snapshot_id ?? null}
          onPick={(list) => onPick({ snapshot_id: list })}
        />
      )}
      {frozen.data && (
        <Typography variant="body2">
          {t('audience.frozen_of', {
            count: frozen.data.members ?? 0,
            day: date(frozen.data.as_of, i18n.language),
            hash: (frozen.data.members_sha256 ?? '').slice(0, 12),
          })}
        </Typography>
      )}
    </Stack>
  )
}

function Count({ segment }: { segment: Segment }) {
  const { t, i18n } = useTranslation('campaigns')
  const { t: c } = useTranslation()
  const asked = useQuery({
    queryKey: ['segment', segment.id, 'count', segment.version],
    staleTime: 120_000,
    retry: false,
    queryFn: ({ signal }) => {
      const body = { definition: segment.definition, segment_id: segment.id }
      return data(api.POST('/api/v1/segments/preview', { body, signal }))
    },
  })
  if (asked.isPending) {
    return (
      <Stack direction="row" sx={{ gap: 1, alignItems: 'center' }}>
        <CircularProgress size={16} aria-label={t('audience.counting')} />
        <Typography variant="body2">{t('audience.counting')}</Typography>
      </Stack>
    )
  }
  if (asked.isError)
    return <Alert severity="warning">{t('audience.no_count', { why: wordsFor(asked.error, c) })}</Alert>
  return (
    <Alert severity={asked.data.members ? 'success' : 'warning'} role="status">
      {t('audience.count', {
        count: asked.data.members,
        number: asked.data.members.toLocaleString(i18n.language),
        all: asked.data.customers.toLocaleString(i18n.language),
        day: date(asked.data.as_of, i18n.language),
      })}
    </Alert>
  )
}

function Frozen({
  segment,
  picked,
  onPick,
}: {
  segment: Segment
  picked: string | null
  onPick: (id: string) => void
}) {
  const { t, i18n } = useTranslation('campaigns')
  const { t: c } = useTranslation()
  const client = useQueryClient()
  const writes = useMay('campaigns:write')
  const path = { segment_id: segment.id }
  const asked = useQuery({
    queryKey: ['segment', segment.id, 'snapshots'],
    queryFn: async ({ signal }) =>
      (
        await data(
          api.GET('/api/v1/segments/{segment_id}/snapshots', { params: { path, query: { limit: 50 } }, signal }),
        )
      ).items,
  })
  const freeze = useMutation({
    mutationFn: (key: string) =>
      data(
        api.POST('/api/v1/segments/{segment_id}/snapshots', { params: { path, header: { 'idempotency-key': key } } }),
      ),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['segment', segment.id, 'snapshots'] })
      onPick(made.id)
    },
  })
  const label = (one: Snapshot) =>
    t('audience.list', {
      at: dateTime(one.created_at, i18n.language),
      number: (one.members ?? 0).toLocaleString(i18n.language),
    })
  const lists = (asked.data ?? []).filter((one) => one.state === 'frozen')
  return (
    <Stack sx={{ gap: 1, alignItems: 'flex-start' }}>
      <Choice
        label={t('audience.frozen')}
        value={picked ?? ''}
        fullWidth
        disabled={lists.length === 0}
        helperText={lists.length === 0 && asked.isSuccess ? t('audience.no_lists') : undefined}
        options={lists.map((one) => ({ value: one.id, label: label(one) }))}
        onChange={onPick}
      />
      {writes && (
        <Button
          startIcon={<Snowflake size={16} />}
          loading={freeze.isPending}
          onClick={() => freeze.mutate(crypto.randomUUID())}
        >
          {t('audience.freeze_now')}
        </Button>
      )}
      {freeze.error && <Alert severity="error">{wordsFor(freeze.error, c)}</Alert>}
    </Stack>
  )
}
