/** Websites that embed the chat: their pages, where what is written there waits, and the line of code for the page. */
import { Alert, Box, Dialog, DialogContent, DialogTitle, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { useQueues } from '../inbox/Filters'
import { Kept } from './Kept'

type Site = components['schemas']['Site']
type SiteRules = components['schemas']['SiteRules']

const COLOR = '#00695c'

export function Sites() {
  const { t } = useTranslation('admin')
  const deeds = useDeeds(['sites'])
  const queues = useQueues().data ?? []
  const { reading, rows } = usePages<Site>(['sites'], (cursor, signal) =>
    data(api.GET('/api/v1/sites', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'name', label: t('site.name'), required: true, maxLength: 100 },
    { name: 'title', label: t('site.title'), required: true, maxLength: 60 },
    { name: 'origins', label: t('site.origins'), kind: 'long', required: true, help: t('site.origins_help') },
    {
      name: 'queue',
      label: t('site.queue'),
      kind: 'select',
      options: [
        { value: '', label: t('site.default_queue') },
        ...queues.map((one) => ({ value: one.key, label: one.name })),
      ],
    },
    { name: 'bot', label: t('site.bot'), kind: 'switch' },
    { name: 'offline_form', label: t('site.offline_form'), kind: 'switch' },
    { name: 'color', label: t('site.color'), maxLength: 7 },
    { name: 'active', label: t('site.active'), kind: 'switch' },
  ]
  const told = (values: Values, row?: Site): SiteRules => ({
    consent_pt: row?.consent_pt ?? 'site-pt-1',
    consent_en: row?.consent_en ?? 'site-en-1',
    name: String(values.name),
    title: String(values.title),
    origins: String(values.origins).split(/\s+/).filter(Boolean),
    queue: words(values.queue),
    bot: values.bot === true,
    offline_form: values.offline_form === true,
    color: words(values.color) ?? COLOR,
    active: values.active === true,
  })
  return (
    <Kept
      label={t('service.sites')}
      newLabel={t('site.new')}
      empty={t('site.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => one.id}
      nameOf={(one) => one.name}
      columns={[
        { label: t('site.name'), show: (one) => one.name },
        { label: t('site.queue'), show: (one) => one.queue ?? t('site.default_queue') },
        { label: t('site.active'), show: (one) => t(one.active ? 'yes' : 'no') },
      ]}
      fields={() => fields}
      start={(row) =>
        row
          ? { ...row, queue: row.queue ?? '', origins: row.origins.join('\n') }
          : { title: 'Atendimento', bot: true, offline_form: true, color: COLOR, active: true }
      }
      create={(values) => {
        const header = { 'idempotency-key': crypto.randomUUID() }
        return data(api.POST('/api/v1/sites', { params: { header }, body: told(values) }))
      }}
      change={(row, values) => {
        const params = { path: { site_id: row.id }, header: { 'if-match': `"${row.version}"` } }
        return data(api.PUT('/api/v1/sites/{site_id}', { params, body: told(values, row) }))
      }}
      deeds={deeds}
      more={[
        {
          label: t('site.snippet'),
          run: (row) =>
            deeds.open(
              <Shown
                title={t('site.snippet')}
                help={t('site.snippet_help')}
                code={snippet(row)}
                onClose={deeds.close}
              />,
            ),
        },
        {
          label: t('site.secret'),
          run: (row) =>
            deeds.open(
              <FormDialog
                title={t('site.secret')}
                text={t('site.secret_help')}
                confirm={t('site.secret')}
                danger={row.has_identity_secret}
                onSubmit={async () => {
                  const params = { path: { site_id: row.id } }
                  const { secret } = await data(api.POST('/api/v1/sites/{site_id}/identity-secret', { params }))
                  await deeds.done(t('done'))
                  const title = t('site.secret_made')
                  deeds.open(<Shown title={title} help={t('site.secret_help')} code={secret} onClose={deeds.close} />)
                }}
                onClose={deeds.close}
              />,
            ),
        },
      ]}
    />
  )
}

/** The line that the website puts into its pages. */
function snippet(site: Site): string {
  const script = new URL('../widget.js', document.baseURI).href
  return `<script src="${script}" data-key="${site.key}" async></script>`
}

function Shown({ title, help, code, onClose }: { title: string; help: string; code: string; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} aria-labelledby="shown-title" maxWidth="md">
      <DialogTitle id="shown-title">{title}</DialogTitle>
      <DialogContent>
        <Alert severity="info">{help}</Alert>
        <Box component="pre" tabIndex={0} sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', userSelect: 'all' }}>
          <Typography component="code" sx={{ fontFamily: 'monospace' }}>
            {code}
          </Typography>
        </Box>
      </DialogContent>
    </Dialog>
  )
}
