/** Texts that agents put in by a shortcut. */
import { Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Canned } from '../../api/types'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { Kept } from './Kept'
import { useTeams } from './useTeams'

export function CannedReplies() {
  const { t } = useTranslation('admin')
  const deeds = useDeeds(['admin-canned'], ['canned'])
  const teams = useTeams()
  const { reading, rows } = usePages<Canned>(['admin-canned'], (cursor, signal) =>
    data(api.GET('/api/v1/canned-replies', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'shortcut', label: t('canned.shortcut'), required: true, help: t('canned.shortcut_help'), maxLength: 40 },
    { name: 'title', label: t('canned.title'), required: true, maxLength: 120 },
    {
      name: 'text',
      label: t('canned.text'),
      kind: 'long',
      required: true,
      help: t('canned.text_help'),
      maxLength: 4096,
    },
    {
      name: 'team_id',
      label: t('canned.team'),
      kind: 'select',
      options: [
        { value: '', label: t('canned.everybody') },
        ...teams.map((one) => ({ value: one.id, label: one.name })),
      ],
    },
  ]
  const told = (values: Values) => ({
    shortcut: String(values.shortcut).replace(/^\//, ''),
    title: String(values.title),
    text: String(values.text),
    team_id: words(values.team_id),
  })
  return (
    <Kept
      label={t('service.canned')}
      newLabel={t('canned.new')}
      empty={t('canned.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.title}
      columns={[
        { label: t('canned.shortcut'), show: (one) => `/${one.shortcut}` },
        { label: t('canned.title'), show: (one) => one.title },
        {
          label: t('canned.text'),
          show: (one) => (
            <Typography variant="body2" sx={{ whiteSpace: 'pre-wrap' }}>
              {one.text.length > 160 ? `${one.text.slice(0, 160)}…` : one.text}
            </Typography>
          ),
        },
        {
          label: t('canned.team'),
          show: (one) => teams.find((other) => other.id === one.team_id)?.name ?? t('canned.everybody'),
        },
      ]}
      fields={() => fields}
      start={(row) =>
        row ? { shortcut: row.shortcut, title: row.title, text: row.text, team_id: row.team_id ?? '' } : {}
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/canned-replies', { params: { header }, body: told(values) }))
      }}
      change={(row, values) => {
        const params = { path: { reply_id: row.id }, header: { 'if-match': `"${row.version}"` } }
        return data(api.PUT('/api/v1/canned-replies/{reply_id}', { params, body: told(values) }))
      }}
      remove={(row) =>
        data(api.DELETE('/api/v1/canned-replies/{reply_id}', { params: { path: { reply_id: row.id } } }))
      }
      deeds={deeds}
    />
  )
}
