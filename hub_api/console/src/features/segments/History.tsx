/** Who is in a segment since when, who came and went and why; its frozen lists; its versions. */
import { Box, Chip, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMe } from '../../app/session'
import { Listing } from '../../shared/admin/Listing'
import { Person } from '../../shared/admin/Person'
import { usePages } from '../../shared/admin/useAdmin'
import { date, dateTime } from '../../shared/format'
import { useColleagues } from '../../shared/useColleagues'

type Schemas = components['schemas']
const STATES = { freezing: 'info', frozen: 'success', failed: 'error' } as const

/** Who did something, by name where one may know the person; oneself always. */
export function useActor() {
  const { t } = useTranslation('audience')
  const people = useColleagues()
  const me = useMe()
  return (value: string) => {
    const [kind, id = ''] = value.split(':')
    if (id === me.id) return me.name
    return people.get(id)?.name ?? t(kind === 'user' ? 'actor.user' : 'actor.key')
  }
}

export function Members({ id }: { id: string }) {
  const { t, i18n } = useTranslation('audience')
  const path = { segment_id: id }
  const members = usePages<Schemas['Current']>(['segment-members', id], (cursor, signal) =>
    data(api.GET('/api/v1/segments/{segment_id}/members', { params: { path, query: { limit: 50, cursor } }, signal })),
  )
  const changes = useQuery({
    queryKey: ['segment-history', id],
    queryFn: ({ signal }) => data(api.GET('/api/v1/segments/{segment_id}/history', { params: { path }, signal })),
  })
  const name = (one: Schemas['Current']) => one.name ?? t('members.somebody', { id: one.customer_id.slice(-6) })
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 3,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '1fr 1fr' },
        alignItems: 'start',
      }}
    >
      <Box>
        <Typography component="h3" variant="subtitle1" sx={{ fontWeight: 700, mb: 1 }}>
          {t('members.changes')}
        </Typography>
        <Listing
          label={t('members.changes')}
          reading={changes}
          rows={changes.data?.items ?? []}
          keyOf={(one) => `${one.day}-${one.change}-${one.why}-${one.version}`}
          nameOf={(one) => one.day}
          empty={t('members.no_changes')}
          columns={[
            { label: t('members.day'), show: (one) => date(one.day, i18n.language) },
            {
              label: t('members.change'),
              show: (one) => (
                <Chip
                  size="small"
                  variant="outlined"
                  color={one.change === 'entered' ? 'success' : 'default'}
                  label={t(`members.${one.change}`)}
                />
              ),
            },
            { label: t('members.why'), show: (one) => t(`why.${one.why as 'data'}`, { defaultValue: one.why }) },
            { label: t('members.customers'), show: (one) => one.customers.toLocaleString(i18n.language) },
          ]}
        />
      </Box>
      <Box>
        <Typography component="h3" variant="subtitle1" sx={{ fontWeight: 700, mb: 1 }}>
          {t('members.now')}
        </Typography>
        <Listing
          label={t('members.now')}
          reading={members.reading}
          rows={members.rows}
          keyOf={(one) => one.customer_id}
          nameOf={name}
          empty={t('members.none')}
          columns={[
            {
              label: t('members.customer'),
              show: (one) => <Person name={name(one)} phone={one.phone} />,
            },
            { label: t('members.since'), show: (one) => date(one.entered_on, i18n.language) },
          ]}
        />
      </Box>
    </Box>
  )
}

export function Frozen({ id }: { id: string }) {
  const { t, i18n } = useTranslation('audience')
  const actor = useActor()
  const { reading, rows } = usePages<Schemas['Snapshot']>(['segment-frozen', id], (cursor, signal) => {
    const params = { path: { segment_id: id }, query: { limit: 50, cursor } }
    return data(api.GET('/api/v1/segments/{segment_id}/snapshots', { params, signal }))
  })
  return (
    <Listing
      label={t('frozen.title')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.id}
      empty={t('frozen.none')}
      columns={[
        { label: t('frozen.when'), show: (one) => dateTime(one.frozen_at ?? one.created_at, i18n.language) },
        {
          label: t('frozen.state'),
          show: (one) => <Chip size="small" color={STATES[one.state]} label={t(`frozen.${one.state}`)} />,
        },
        { label: t('frozen.members'), show: (one) => one.members?.toLocaleString(i18n.language) ?? '–' },
        { label: t('segments.version'), show: (one) => one.version },
        { label: t('frozen.as_of'), show: (one) => date(one.as_of, i18n.language) },
        {
          label: t('frozen.hash'),
          show: (one) => (
            <Box component="code" title={one.members_sha256 ?? ''} sx={{ fontSize: 12 }}>
              {one.members_sha256?.slice(0, 12) ?? '–'}
            </Box>
          ),
        },
        { label: t('frozen.by'), show: (one) => actor(one.created_by) },
      ]}
    />
  )
}

export function Versions({ id }: { id: string }) {
  const { t, i18n } = useTranslation('audience')
  const actor = useActor()
  const { reading, rows } = usePages<Schemas['hub_api__analytics__segments__schemas__Version']>(
    ['segments', id, 'versions'],
    (cursor, signal) => {
      const params = { path: { segment_id: id }, query: { limit: 50, cursor } }
      return data(api.GET('/api/v1/segments/{segment_id}/versions', { params, signal }))
    },
  )
  return (
    <Listing
      label={t('versions.title')}
      reading={reading}
      rows={rows}
      keyOf={(one) => String(one.version)}
      nameOf={(one) => String(one.version)}
      empty={t('versions.none')}
      columns={[
        { label: t('segments.version'), show: (one) => one.version },
        {
          label: t('versions.when'),
          show: (one) => (
            <Stack>
              <span>{dateTime(one.created_at, i18n.language)}</span>
              <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                {actor(one.created_by)}
              </Typography>
            </Stack>
          ),
        },
        {
          label: t('versions.definition'),
          show: (one) => (
            <Box component="code" sx={{ fontSize: 12, overflowWrap: 'anywhere' }}>
              {JSON.stringify(one.definition)}
            </Box>
          ),
        },
      ]}
    />
  )
}
