/** Who did what: the audit log, searched. */
import { Box, Button, MenuItem, Stack, TextField } from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { usePages } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'
import { useColleagues } from '../../shared/useColleagues'
import { Verified } from './Verified'

type Row = components['schemas']['AuditRow']
const DAYS = [1, 7, 30, 365] as const

export default function AuditPage() {
  const { t, i18n } = useTranslation('admin')
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
  const actor = (value: string) => {
    const [kind, id = ''] = value.split(':')
    if (kind === 'operator' || kind === 'system') return t(`audit.actors.${kind}`)
    return people.get(id)?.name ?? (kind === 'user' && id ? t('audit.user', { id: id.slice(-8) }) : value)
  }
  return (
    <Page title={t('audit.title')} subtitle={t('audit.subtitle')}>
      <Verified />
      <Stack component="form" role="search" onSubmit={search} direction="row" sx={{ gap: 1, flexWrap: 'wrap', mb: 2 }}>
        {(Object.keys(typed) as (keyof typeof typed)[]).map((name) => (
          <TextField
            key={name}
            id={`audit-${name}`}
            size="small"
            label={t(`audit.${name}`)}
            value={typed[name]}
            onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
            sx={{ flex: '1 1 150px' }}
          />
        ))}
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
        nameOf={(one) => one.action}
        empty={t('audit.none')}
        columns={[
          { label: t('audit.when'), show: (one) => dateTime(one.created_at, i18n.language) },
          { label: t('audit.actor'), show: (one) => actor(one.actor) },
          { label: t('audit.action'), show: (one) => one.action },
          { label: t('audit.object'), show: (one) => [one.object_type, one.object_id].filter(Boolean).join(' ') },
          { label: t('audit.change'), show: (one) => <Change row={one} /> },
          { label: t('audit.address'), show: (one) => one.address ?? '–' },
        ]}
      />
    </Page>
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
