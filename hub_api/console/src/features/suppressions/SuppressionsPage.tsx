/** Suppression lists: whom nothing is sent to, why, until when, and where an entry came from. */
import { Button, Chip, FormControlLabel, Link as MuiLink, Paper, Stack, Switch, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { Plus, Upload } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'wouter'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import { FormDialog, type Values } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { dateTime, fromField } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import { useActor } from '../segments/History'
import { useEntryFields } from './fields'
import { international } from './phone'
import { UploadDialog } from './UploadDialog'

type Entry = components['schemas']['hub_api__campaigns__suppressions__routes__Entry']

export default function SuppressionsPage() {
  const { t, i18n } = useTranslation('audience')
  const { list = '' } = useParams<{ list?: string }>()
  const changes = useMay('campaigns:write')
  const actor = useActor()
  const [ended, setEnded] = useState(false)
  const deeds = useDeeds(['suppressions'], ['suppression-lists'])
  const fields = useEntryFields()
  const { reading, rows } = usePages<Entry>(['suppressions', list, ended], (cursor, signal) => {
    const query = { ...(list ? { list } : {}), ended, limit: 100, cursor }
    return data(api.GET('/api/v1/suppressions', { params: { query }, signal }))
  })
  const path = (one: Entry) => ({ path: { entry_id: one.id } })
  const add = async (values: Values) => {
    const phone = international(String(values.phone ?? ''))
    const customer = String(values.customer_id ?? '').trim()
    const body = {
      list: String(values.list).trim(),
      ...(phone ? { phone } : {}),
      ...(customer ? { customer_id: customer } : {}),
      ...kept(values),
    }
    const header = { 'idempotency-key': crypto.randomUUID() }
    await data(api.POST('/api/v1/suppressions', { params: { header }, body }))
    await deeds.done(t('suppressions.added'))
  }
  return (
    <Page
      title={t('suppressions.title')}
      subtitle={t('suppressions.subtitle')}
      actions={
        changes && (
          <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
            <Button
              startIcon={<Upload size={18} />}
              onClick={() => deeds.open(<UploadDialog list={list || 'geral'} deeds={deeds} />)}
            >
              {t('upload.open')}
            </Button>
            <Button
              variant="contained"
              startIcon={<Plus size={18} />}
              onClick={() =>
                deeds.open(
                  <FormDialog
                    title={t('suppressions.add')}
                    text={t('suppressions.add_help')}
                    fields={[...fields.who, ...fields.what]}
                    start={{ list: list || 'geral', scope: 'marketing', reason: 'complaint' }}
                    confirm={t('suppressions.add')}
                    onSubmit={add}
                    onClose={deeds.close}
                  />,
                )
              }
            >
              {t('suppressions.add')}
            </Button>
          </Stack>
        )
      }
    >
      <Lists chosen={list} />
      <FormControlLabel
        label={t('suppressions.ended')}
        control={<Switch checked={ended} onChange={(_, on) => setEnded(on)} />}
        sx={{ mb: 1 }}
      />
      <Listing
        label={t('suppressions.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => `${one.list} ${one.id.slice(-6)}`}
        empty={t('suppressions.none')}
        columns={[
          { label: t('suppressions.list'), show: (one) => one.list },
          {
            label: t('suppressions.whom'),
            show: (one) =>
              one.customer_id ? (
                <Stack sx={{ alignItems: 'flex-start', minWidth: 0 }}>
                  <Chip size="small" color="success" variant="outlined" label={t('suppressions.matched')} />
                  <Typography component="code" variant="caption" sx={{ color: 'text.secondary' }}>
                    {one.customer_id}
                  </Typography>
                </Stack>
              ) : (
                <Chip size="small" variant="outlined" label={t('suppressions.nobody')} />
              ),
          },
          { label: t('suppressions.scope'), show: (one) => t(`scope.${one.scope}`) },
          { label: t('suppressions.reason'), show: (one) => t(`reason.${one.reason as 'other'}`) },
          {
            label: t('suppressions.until'),
            show: (one) => (one.until ? dateTime(one.until, i18n.language) : t('suppressions.open_end')),
          },
          {
            label: t('suppressions.from'),
            show: (one) => (
              <>
                {actor(one.created_by)}
                <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                  {dateTime(one.created_at, i18n.language)}
                </Typography>
              </>
            ),
          },
        ]}
        deeds={
          changes
            ? [
                {
                  label: t('suppressions.change'),
                  run: (one) =>
                    deeds.open(
                      <FormDialog
                        title={t('suppressions.change')}
                        fields={fields.what}
                        start={{ scope: one.scope, reason: one.reason, until: fields.shownUntil(one.until) }}
                        confirm={t('suppressions.save')}
                        onSubmit={async (values) => {
                          const body = kept(values)
                          await data(api.PATCH('/api/v1/suppressions/{entry_id}', { params: path(one), body }))
                          await deeds.done(t('suppressions.changed'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
                {
                  label: t('suppressions.remove'),
                  run: (one) =>
                    deeds.open(
                      <FormDialog
                        title={t('suppressions.remove')}
                        text={t('suppressions.remove_help')}
                        confirm={t('suppressions.remove')}
                        danger
                        onSubmit={async () => {
                          await data(api.DELETE('/api/v1/suppressions/{entry_id}', { params: path(one) }))
                          await deeds.done(t('suppressions.removed'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </Page>
  )
}

function kept(values: Values) {
  const until = String(values.until ?? '').trim()
  return {
    scope: values.scope as Entry['scope'],
    reason: values.reason as components['schemas']['hub_api__campaigns__suppressions__routes__NewEntry']['reason'],
    until: until ? fromField(`${until}T23:59`) : null,
  }
}

function Lists({ chosen }: { chosen: string }) {
  const { t, i18n } = useTranslation('audience')
  const asked = useQuery({
    queryKey: ['suppression-lists'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/suppressions/lists', { signal }))).items,
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (asked.data.length === 0) return null
  const all = { entries: 0, customers: 0 }
  for (const one of asked.data) {
    all.entries += one.entries
    all.customers += one.customers
  }
  const cards = [
    { list: '', label: t('suppressions.every'), ...all },
    ...asked.data.map((one) => ({ label: one.list, ...one })),
  ]
  return (
    <Stack
      component="nav"
      aria-label={t('suppressions.lists')}
      direction="row"
      sx={{ gap: 1, flexWrap: 'wrap', mb: 2 }}
    >
      {cards.map((one) => (
        <Paper
          key={one.list}
          variant="outlined"
          sx={{ p: 1.5, minWidth: 150, borderColor: one.list === chosen ? 'primary.main' : 'divider' }}
        >
          <MuiLink
            component={Link}
            href={one.list ? `/suppressions/${one.list}` : '/suppressions'}
            aria-current={one.list === chosen ? 'true' : undefined}
            sx={{ fontWeight: 600 }}
          >
            {one.label}
          </MuiLink>
          <Typography variant="body2">{t('suppressions.numbers', { count: one.entries })}</Typography>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {t('suppressions.known', { n: one.customers.toLocaleString(i18n.language) })}
          </Typography>
        </Paper>
      ))}
    </Stack>
  )
}
