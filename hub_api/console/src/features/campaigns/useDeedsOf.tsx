/** What may be done with a campaign: each deed by its verb, with a dialog where it needs words or a second thought. */
import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { api, data } from '../../api/client'
import { problemOf } from '../../api/problem'
import { useMe } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { decimal, fromMicros, words } from '../../shared/admin/values'
import { bodyOf, type Campaign, draftOf } from './plan'
import { OVERRULED, type Verb, verbsFor } from './states'
import { Told } from './Told'

type Step = Exclude<Verb, 'edit' | 'copy' | 'budget'>
const ASKS_WHY = ['reject', 'cancel'] as const
const AT_ONCE = ['submit', 'resume', 'pause'] as const

/** `deeds` is the page's; `take(verb)` does it or asks first. */
export function useDeedsOf(deeds: ReturnType<typeof useDeeds>) {
  const { t } = useTranslation('campaigns')
  const me = useMe()
  const [, go] = useLocation()
  const client = useQueryClient()
  // What was answered is shown at once. The rest of the page is read anew, and nobody waits for it: results may take seconds.
  const after = (campaign: Campaign) => {
    client.setQueryData(['campaign', campaign.id], campaign)
    void client.invalidateQueries({ queryKey: ['campaign', campaign.id] })
  }
  const step = async (campaign: Campaign, verb: Step, reason = '') => {
    const header = { 'if-match': `"${campaign.version}"` }
    const params = { path: { campaign_id: campaign.id }, header }
    const body = { reason }
    const asked = {
      submit: () => api.POST('/api/v1/campaigns/{campaign_id}/submit', { params }),
      approve: () => api.POST('/api/v1/campaigns/{campaign_id}/approve', { params }),
      reject: () => api.POST('/api/v1/campaigns/{campaign_id}/reject', { params, body }),
      start: () => api.POST('/api/v1/campaigns/{campaign_id}/start', { params }),
      // What stops or goes on must not fail because a rule has moved the campaign meanwhile.
      pause: () => api.POST('/api/v1/campaigns/{campaign_id}/pause', { params: { path: params.path }, body }),
      resume: () => api.POST('/api/v1/campaigns/{campaign_id}/resume', { params: { path: params.path } }),
      cancel: () => api.POST('/api/v1/campaigns/{campaign_id}/cancel', { params: { path: params.path }, body }),
    }[verb]
    after(await data<Campaign>(asked()))
  }
  const copy = async (campaign: Campaign, name: string) => {
    const body = { ...bodyOf(draftOf(campaign)), name }
    const header = { 'idempotency-key': crypto.randomUUID() }
    const made = await data(api.POST('/api/v1/campaigns', { params: { header }, body }))
    await client.invalidateQueries({ queryKey: ['campaigns'] })
    go(`/campaigns/${made.id}/edit`)
  }
  const now = async (campaign: Campaign, verb: (typeof AT_ONCE)[number]) => {
    try {
      await step(campaign, verb)
      void deeds.done(t(`done.${verb}`))
    } catch (error) {
      deeds.open(<Told title={t(`verb.${verb}`)} error={problemOf(error)} onClose={deeds.close} />)
    }
  }
  const ask = (campaign: Campaign, verb: Step) => {
    const why = ASKS_WHY.some((one) => one === verb)
    const rule = verb === 'resume' && OVERRULED.find((one) => one === campaign.block_reason)
    deeds.open(
      <FormDialog
        title={t(`ask.${verb}.title`, { name: campaign.name })}
        text={rule ? t(`ask.overrule.${rule}`) : t(`ask.${verb}.text`)}
        fields={
          why
            ? [{ name: 'reason', label: t('ask.reason'), kind: 'long', required: verb === 'reject', maxLength: 500 }]
            : []
        }
        confirm={t(`verb.${verb}`)}
        dismiss={t('wizard.back')}
        danger={why}
        onSubmit={async (values) => {
          await step(campaign, verb, String(values.reason ?? ''))
          void deeds.done(t(`done.${verb}`))
        }}
        onClose={deeds.close}
      />,
    )
  }
  const spend = (campaign: Campaign) =>
    deeds.open(
      <FormDialog
        title={t('ask.budget.title', { name: campaign.name })}
        text={t('ask.budget.text')}
        fields={[{ name: 'budget_micros', label: t('ask.budget.amount', { currency: campaign.budget_currency }) }]}
        start={{ budget_micros: fromMicros(campaign.budget_micros ?? 0) }}
        confirm={t('verb.budget')}
        dismiss={t('wizard.back')}
        onSubmit={async ({ budget_micros: typed }) => {
          const params = { path: { campaign_id: campaign.id } }
          const amount = decimal(typed)
          // What is no amount must not go out as none, which is no limit: the hub refuses -1.
          const told = Number.isNaN(amount) ? -1 : Math.round(amount * 1e6)
          const body = { budget_micros: words(typed) === null ? null : told }
          after(await data<Campaign>(api.PUT('/api/v1/campaigns/{campaign_id}/budget', { params, body })))
          void deeds.done(t('done.budget'))
        }}
        onClose={deeds.close}
      />,
    )
  const take = (campaign: Campaign, verb: Verb) => {
    if (verb === 'edit') go(`/campaigns/${campaign.id}/edit`)
    else if (verb === 'budget') spend(campaign)
    else if (verb === 'copy') {
      deeds.open(
        <FormDialog
          title={t('ask.copy.title', { name: campaign.name })}
          text={t('ask.copy.text')}
          fields={[{ name: 'name', label: t('goal.name'), required: true, maxLength: 120 }]}
          start={{ name: t('ask.copy.name', { name: campaign.name }).slice(0, 120) }}
          confirm={t('verb.copy')}
          onSubmit={async (values) => {
            await copy(campaign, String(values.name).trim())
            deeds.close()
          }}
          onClose={deeds.close}
        />,
      )
    } else {
      const overrules = verb === 'resume' && OVERRULED.some((one) => one === campaign.block_reason)
      const quick = overrules ? undefined : AT_ONCE.find((one) => one === verb)
      if (quick) void now(campaign, quick)
      else ask(campaign, verb)
    }
  }
  return { take, may: (campaign: Campaign) => verbsFor(campaign, me) }
}
