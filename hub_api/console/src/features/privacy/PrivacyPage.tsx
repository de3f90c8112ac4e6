/** Rights of customers (LGPD): reports of what is known, erasures, holds that keep, and how long things are kept. */
import { Button, Chip, Stack, TextField } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'wouter'
import { atHub } from '../../api/address'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import { type Field, FormDialog } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { dateTime } from '../../shared/format'

type Erasure = components['schemas']['Erasure']
type Hold = components['schemas']['Hold']
type Rule = components['schemas']['RuleShown']
const PARTS = { erasures: Erasures, holds: Holds, reports: Reports, retention: Retention } as const
const STATE = { queued: 'default', running: 'info', done: 'success' } as const
const REASONS = ['request', 'consent_withdrawn', 'purpose_ended'] as const

export default function PrivacyPage() {
  const { t } = useTranslation('admin')
  const { part = 'erasures' } = useParams<{ part?: string }>()
  const here = (part in PARTS ? part : 'erasures') as keyof typeof PARTS
  const Part = PARTS[here]
  const parts = (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((key) => ({ key, label: t(`privacy.${key}`) }))
  return (
    <Page title={t('privacy.title')} parts={parts} base="/privacy" part={here}>
      <Part />
    </Page>
  )
}

function Erasures() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('privacy:write')
  const deeds = useDeeds(['erasures'])
  const { reading, rows } = usePages<Erasure>(['erasures'], (cursor, signal) =>
    data(api.GET('/api/v1/privacy/erasures', { params: { query: { limit: 50, cursor } }, signal })),
  )
  const fields: Field[] = [
    { name: 'customer_id', label: t('privacy.customer'), required: true, help: t('privacy.customer_help') },
    {
      name: 'reason',
      label: t('privacy.reason'),
      kind: 'select',
      options: REASONS.map((value) => ({ value, label: t(`privacy.reasons.${value}`) })),
    },
  ]
  const ask = () =>
    deeds.open(
      <FormDialog
        title={t('privacy.erase')}
        text={t('privacy.erase_help')}
        fields={fields}
        start={{ reason: 'request' }}
        confirm={t('privacy.erase')}
        danger
        onSubmit={async (values) => {
          const body = {
            customer_id: String(values.customer_id).trim(),
            reason: values.reason as (typeof REASONS)[number],
          }
          await data(api.POST('/api/v1/privacy/erasures', { body }))
          await deeds.done(t('privacy.erasing'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      {changes && (
        <Button variant="contained" color="error" sx={{ mb: 2 }} onClick={ask}>
          {t('privacy.erase')}
        </Button>
      )}
      <Listing
        label={t('privacy.erasures')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.customer_id}
        empty={t('privacy.no_erasures')}
        columns={[
          { label: t('privacy.asked'), show: (one) => dateTime(one.created_at, i18n.language) },
          { label: t('privacy.customer'), show: (one) => one.customer_id },
          {
            label: t('privacy.reason'),
            show: (one) => t(`privacy.reasons.${one.reason as 'request'}`, { defaultValue: one.reason }),
          },
          {
            label: t('privacy.state'),
            show: (one) => <Chip size="small" color={STATE[one.state]} label={t(`privacy.states.${one.state}`)} />,
          },
          {
            label: t('privacy.finished'),
            show: (one) => (one.finished_at ? dateTime(one.finished_at, i18n.language) : '–'),
          },
          {
            label: t('privacy.survivors'),
            show: (one) =>
              String(
                Object.values(one.survivors as Record<string, number>).reduce((sum, count) => sum + Number(count), 0),
              ),
          },
        ]}
      />
      {deeds.shown}
    </>
  )
}

function Holds() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('privacy:write')
  const deeds = useDeeds(['holds'])
  const { reading, rows } = usePages<Hold>(['holds'], (cursor, signal) =>
    data(api.GET('/api/v1/privacy/holds', { params: { query: { limit: 50, cursor } }, signal })),
  )
  const ask = () =>
    deeds.open(
      <FormDialog
        title={t('privacy.hold')}
        text={t('privacy.hold_help')}
        fields={[
          { name: 'customer_id', label: t('privacy.customer'), required: true, help: t('privacy.customer_help') },
          { name: 'reason', label: t('privacy.why'), required: true, maxLength: 500 },
          { name: 'legal_basis', label: t('privacy.basis'), required: true, maxLength: 500 },
        ]}
        confirm={t('privacy.hold')}
        onSubmit={async (values) => {
          const body = {
            customer_id: String(values.customer_id).trim(),
            reason: words(values.reason) ?? '',
            legal_basis: words(values.legal_basis) ?? '',
          }
          await data(api.POST('/api/v1/privacy/holds', { body }))
          await deeds.done(t('done'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      {changes && (
        <Button variant="contained" sx={{ mb: 2 }} onClick={ask}>
          {t('privacy.hold')}
        </Button>
      )}
      <Listing
        label={t('privacy.holds')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.reason}
        empty={t('privacy.no_holds')}
        columns={[
          { label: t('privacy.asked'), show: (one) => dateTime(one.created_at, i18n.language) },
          { label: t('privacy.customer'), show: (one) => one.customer_id },
          { label: t('privacy.why'), show: (one) => one.reason },
          { label: t('privacy.basis'), show: (one) => one.legal_basis },
          { label: t('privacy.state'), show: (one) => t(one.released_at ? 'privacy.released' : 'privacy.in_force') },
        ]}
        deeds={
          changes
            ? [
                {
                  label: t('privacy.release'),
                  when: (one: Hold) => !one.released_at,
                  run: (one: Hold) =>
                    void deeds.run(
                      data(
                        api.POST('/api/v1/privacy/holds/{hold_id}/release', { params: { path: { hold_id: one.id } } }),
                      ),
                      t('done'),
                    ),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </>
  )
}

function Reports() {
  const { t } = useTranslation('admin')
  const [id, setId] = useState('')
  const open = (event: FormEvent) => {
    event.preventDefault()
    window.open(atHub(`/api/v1/privacy/customers/${encodeURIComponent(id.trim())}/report.pdf`), '_blank', 'noopener')
  }
  return (
    <Stack sx={{ gap: 2, alignItems: 'flex-start' }}>
      <Stack component="form" direction="row" onSubmit={open} sx={{ gap: 1, flexWrap: 'wrap' }}>
        <TextField
          id="report-customer"
          label={t('privacy.customer')}
          helperText={t('privacy.customer_help')}
          value={id}
          required
          onChange={(event) => setId(event.target.value)}
          sx={{ minWidth: { sm: 360 } }}
        />
        <Button type="submit" variant="contained" sx={{ alignSelf: 'flex-start', mt: 1 }}>
          {t('privacy.report')}
        </Button>
      </Stack>
      <Button href={atHub('/api/v1/privacy/register.pdf')} target="_blank" rel="noreferrer">
        {t('privacy.register')}
      </Button>
    </Stack>
  )
}

function Retention() {
  const { t, i18n } = useTranslation('admin')
  const asked = useQuery({
    queryKey: ['retention'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/privacy/retention', { signal }))).items,
  })
  // The basis stays as the register has it: a text of Brazilian law.
  const titleOf = (one: Rule) => t(`privacy.rules.${one.key as 'people'}`, { defaultValue: one.title })
  return (
    <Listing
      label={t('privacy.retention')}
      reading={asked}
      rows={asked.data ?? []}
      keyOf={(one) => one.key}
      nameOf={titleOf}
      empty={t('privacy.no_rules')}
      columns={[
        { label: t('privacy.what'), show: titleOf },
        { label: t('privacy.kept'), show: (one) => t('privacy.days', { count: one.days }) },
        { label: t('privacy.then'), show: (one) => t(`privacy.actions.${one.action}`) },
        { label: t('privacy.basis'), show: (one) => one.legal_basis },
        { label: t('privacy.due'), show: (one) => one.due.toLocaleString(i18n.language) },
      ]}
    />
  )
}
