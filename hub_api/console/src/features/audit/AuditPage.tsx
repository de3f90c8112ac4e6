/** Who did what: the audit log, searched. */
import { Box, Button, MenuItem, Link as MuiLink, Stack, TextField, Typography } from '@mui/material'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMe } from '../../app/session'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { usePages } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
import { useColleagues } from '../../shared/useColleagues'
import { Choice } from './Choice'
import { Verified } from './Verified'
import { actionCodes, actionWords, actorWords, objectKinds, objectWords, pageOf, programWords } from './words'

type Row = components['schemas']['AuditRow']
const DAYS = [1, 7, 30, 365] as const
const NAMELESS = ['system', 'operator', 'anonymous']

export default function AuditPage() {
  const { t, i18n } = useTranslation('admin')
  const { t: a } = useTranslation('audit')
  const { permissions } = useMe()
  const people = useColleagues()
  const [typed, setTyped] = useState({ action: '', object_type: '', object_id: '', actor: '' })
  const [days, setDays] = useState<number>(7)
  const [wanted, setWanted] = useState({ ...typed, days, now: Date.now() })
  const { reading, rows } = usePages<Row>(['audit', wanted], (cursor, signal) => {
    const since = new Date(wanted.now - wanted.days * 86_400_000).toISOString()
    const { action, object_type, object_id, actor } = wanted
    const given = { action, object_type, object_id, actor }
    const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim()))
    return data(api.GET('/api/v1/audit', { params: { query: { ...filled, since, limit: 50, cursor } }, signal }))
  })
  const search = (event: FormEvent) => {
    event.preventDefault()
    setWanted({ ...typed, days, now: Date.now() })
  }
  // Colleagues, and whoever is in sight: keys and applications are in no other list of this page.
  const actors = new Map<string, string | null>([
    ...NAMELESS.map((one) => [one, null] as const),
    ...[...people.values()].map((one) => [`user:${one.user_id}`, one.name] as const),
    ...rows.map((one) => [one.actor, one.actor_name] as const),
  ])
  const field = (name: keyof typeof typed) => ({
    id: `audit-${name}`,
    label: t(`audit.${name}`),
    value: typed[name],
    onChange: (value: string) => setTyped((before) => ({ ...before, [name]: value })),
  })
  const objectId = field('object_id')
  return (
    <Page title={t('audit.title')} subtitle={t('audit.subtitle')}>
      <Verified />
      <Stack component="form" role="search" onSubmit={search} direction="row" sx={{ gap: 1, flexWrap: 'wrap', mb: 2 }}>
        <Choice {...field('action')} codes={actionCodes(a)} wordsOf={(code) => actionWords(a, code)} />
        <Choice {...field('object_type')} codes={objectKinds(a)} wordsOf={(kind) => objectWords(a, kind)} />
        <TextField
          {...objectId}
          size="small"
          onChange={(event) => objectId.onChange(event.target.value)}
          sx={{ flex: '1 1 150px' }}
        />
        <Choice
          {...field('actor')}
          free
          codes={[...actors.keys()]}
          wordsOf={(one) => (actors.has(one) ? actorWords(a, one, actors.get(one)) : one)}
        />
        <TextField
          id="audit-days"
          select
          size="small"
          label={t('audit.period')}
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
          sx={{ minWidth: 140 }}
        >
          {DAYS.map((one) => (
            <MenuItem key={one} value={one}>
              {t('audit.days', { count: one })}
            </MenuItem>
          ))}
        </TextField>
        <Button type="submit" variant="contained">
          {t('audit.search')}
        </Button>
      </Stack>
      <Listing
        label={t('audit.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => actionWords(a, one.action)}
        empty={t('audit.none')}
        columns={[
          { label: t('audit.when'), show: (one) => dateTime(one.created_at, i18n.language), nowrap: true },
          {
            label: t('audit.actor'),
            show: (one) => (
              <span title={one.actor}>
                {actorWords(a, one.actor, one.actor_name)}
                {one.actor_name && <Below>{programWords(a, one.actor)}</Below>}
              </span>
            ),
          },
          {
            label: t('audit.action'),
            show: (one) => (
              <>
                {actionWords(a, one.action)}
                <Below code>{one.action}</Below>
              </>
            ),
          },
          {
            label: t('audit.object'),
            show: (one) => <Thing row={one} page={pageOf(one.object_type, one.object_id, permissions)} />,
          },
          { label: t('audit.change'), show: (one) => <Change row={one} /> },
          { label: t('audit.address'), show: (one) => one.address ?? '–', nowrap: true },
        ]}
      />
    </Page>
  )
}

/** What stands small below the words; codes and ids as they are written. */
function Below({ children, code = false }: { children: ReactNode; code?: boolean }) {
  if (!children) return null
  return (
    <Typography
      component="span"
      variant="caption"
      sx={{ display: 'block', color: 'text.secondary', ...(code && { fontFamily: 'monospace' }) }}
    >
      {children}
    </Typography>
  )
}

function Thing({ row, page }: { row: Row; page: string | null }) {
  const { t } = useTranslation('audit')
  const shown = (
    <>
      {objectWords(t, row.object_type)}
      <Below code>{row.object_id}</Below>
    </>
  )
  return page ? (
    <MuiLink component={Link} href={page} underline="hover">
      {shown}
    </MuiLink>
  ) : (
    shown
  )
}

function Change({ row }: { row: Row }) {
  const { language } = useTranslation().i18n
  const before = (row.before ?? {}) as Record<string, unknown>
  const after = (row.after ?? {}) as Record<string, unknown>
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  if (names.length === 0) return '–'
  return (
    <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none', fontSize: 12 }}>
      {names.slice(0, 6).map((name) => (
        <li key={name}>
          {name}: {name in before ? `${plain(before[name], language)} → ` : ''}
          {plain(after[name], language)}
        </li>
      ))}
    </Box>
  )
}

const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

function plain(value: unknown, language: string): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'string' && MOMENT.test(value)) return dateTime(value.replace(' ', 'T'), language)
  return typeof value === 'object' ? JSON.stringify(value).slice(0, 120) : String(value).slice(0, 120)
}
