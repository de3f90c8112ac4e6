/** Message templates: their state at Meta, their looks, written and submitted. */
import { Button, Chip, MenuItem, Stack, TextField, Typography } from '@mui/material'
import { FilePlus2 } from 'lucide-react'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Template } from '../../api/types'
import { useMay } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { bodyOf } from './components'
import { TemplateForm } from './TemplateForm'
import { TemplateView } from './TemplateView'

const STATUS = {
  approved: 'success',
  pending: 'info',
  rejected: 'error',
  paused: 'warning',
  disabled: 'error',
  draft: 'default',
} as const
const STATUSES = ['draft', 'pending', 'approved', 'rejected', 'paused', 'disabled'] as const

export default function TemplatesPage() {
  const { t } = useTranslation('admin')
  const changes = useMay('templates:write')
  const deeds = useDeeds(['admin-templates'], ['templates'])
  const [status, setStatus] = useState('')
  const { reading, rows } = usePages<Template>(['admin-templates', status], (cursor, signal) => {
    const query = { limit: 100, cursor, ...(status ? { status: status.toUpperCase() } : {}) }
    return data(api.GET('/api/v1/whatsapp/templates', { params: { query: query as never }, signal }))
  })
  const path = (one: Template) => ({ path: { template_id: one.id } })
  const isDraft = (one: Template) => ['draft', 'rejected', 'approved', 'paused'].includes(one.status.toLowerCase())
  return (
    <Page
      title={t('templates.title')}
      subtitle={t('templates.subtitle')}
      actions={
        <Stack direction="row" sx={{ gap: 1 }}>
          <TextField
            id="template-status"
            select
            size="small"
            label={t('templates.status')}
            value={status}
            onChange={(event) => setStatus(event.target.value)}
            sx={{ minWidth: 150 }}
          >
            <MenuItem value="">{t('templates.any')}</MenuItem>
            {STATUSES.map((one) => (
              <MenuItem key={one} value={one}>
                {t(`templates.statuses.${one}`)}
              </MenuItem>
            ))}
          </TextField>
          {changes && (
            <Button
              variant="contained"
              startIcon={<FilePlus2 size={18} />}
              onClick={() => deeds.open(<TemplateForm template={null} deeds={deeds} />)}
            >
              {t('templates.new')}
            </Button>
          )}
        </Stack>
      }
    >
      <Listing
        label={t('templates.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t('templates.none')}
        columns={[
          {
            label: t('templates.name'),
            show: (one) => (
              <>
                <Typography variant="body2" sx={{ fontWeight: 600, overflowWrap: 'break-word' }}>
                  <Breakable name={one.name} />
                </Typography>
                <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                  {one.language}
                </Typography>
              </>
            ),
          },
          {
            label: t('templates.category'),
            nowrap: true,
            show: (one) =>
              t(`templates.categories.${one.category.toLowerCase() as 'utility'}`, { defaultValue: one.category }),
          },
          {
            label: t('templates.status'),
            show: (one) => {
              const key = one.status.toLowerCase() as keyof typeof STATUS
              return (
                <>
                  <Chip
                    size="small"
                    color={STATUS[key] ?? 'default'}
                    label={t(`templates.statuses.${key}`, { defaultValue: one.status })}
                  />
                  {one.status_reason && (
                    <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                      {one.status_reason}
                    </Typography>
                  )}
                </>
              )
            },
          },
          {
            label: t('templates.quality'),
            show: (one) =>
              t(`numbers.qualities.${one.quality.toLowerCase() as 'green'}`, { defaultValue: one.quality }),
          },
          {
            label: t('templates.text'),
            show: (one) => (
              <Typography
                variant="body2"
                sx={{ display: '-webkit-box', WebkitLineClamp: 2, WebkitBoxOrient: 'vertical', overflow: 'hidden' }}
              >
                {bodyOf(one.components)}
              </Typography>
            ),
          },
        ]}
        deeds={[
          {
            label: t('templates.view'),
            run: (one) => deeds.open(<TemplateView template={one} onClose={deeds.close} />),
          },
          ...(changes
            ? [
                {
                  label: t('change'),
                  when: isDraft,
                  run: (one: Template) => deeds.open(<TemplateForm template={one} deeds={deeds} />),
                },
                {
                  label: t('templates.submit'),
                  when: isDraft,
                  run: (one: Template) =>
                    deeds.open(
                      <FormDialog
                        title={t('templates.submit')}
                        text={t('templates.submit_help', { name: one.name })}
                        confirm={t('templates.submit')}
                        onSubmit={async () => {
                          await data(api.POST('/api/v1/whatsapp/templates/{template_id}/submit', { params: path(one) }))
                          await deeds.done(t('templates.submitted'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
                {
                  label: t('remove'),
                  run: (one: Template) =>
                    deeds.open(
                      <FormDialog
                        title={t('templates.remove')}
                        text={t('templates.remove_help', { name: one.name })}
                        confirm={t('remove')}
                        danger
                        onSubmit={async () => {
                          await data(api.DELETE('/api/v1/whatsapp/templates/{template_id}', { params: path(one) }))
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
              ]
            : []),
        ]}
      />
      {deeds.shown}
    </Page>
  )
}

/** A long name may go on in the next line after each of its words. */
function Breakable({ name }: { name: string }) {
  const [first, ...others] = name.split('_')
  return (
    <>
      {first}
      {others.map((word, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: words of one name, which may be alike
        <Fragment key={at}>
          _<wbr />
          {word}
        </Fragment>
      ))}
    </>
  )
}
