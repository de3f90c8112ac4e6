/** One campaign: how it goes, its test, its people, its plan; and what may be done with it. */
import { Alert, Button, Stack } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { ArrowLeft } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../../api/client'
import { useMe } from '../../../app/session'
import { Page } from '../../../shared/admin/Page'
import { useDeeds } from '../../../shared/admin/useAdmin'
import { Failed, Loading } from '../../../shared/States'
import type { Campaign } from '../plan'
import { StateOf } from '../StateOf'
import { isLive, isMine, type Verb } from '../states'
import { useDeedsOf } from '../useDeedsOf'
import { Monitor } from './Monitor'
import { People } from './People'
import { PlanView } from './PlanView'
import { ReadOut } from './ReadOut'

const PARTS = ['monitor', 'experiment', 'people', 'plan'] as const
const LIVE_MS = 3_000

export function CampaignView({ id, part }: { id: string; part?: string }) {
  const { t } = useTranslation('campaigns')
  const me = useMe()
  const deeds = useDeeds(['campaigns'], ['campaign', id])
  const { take, may } = useDeedsOf(deeds)
  const asked = useQuery<Campaign>({
    queryKey: ['campaign', id],
    refetchInterval: ({ state }) => (state.data && isLive(state.data.state) ? LIVE_MS : false),
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/campaigns/{campaign_id}', { params: { path: { campaign_id: id } }, signal })),
  })
  if (asked.isPending) return <Loading />
  if (asked.isError && !asked.data) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  const campaign = asked.data
  if (!campaign) return <Loading />
  const begun = (campaign.runs ?? 0) > 0 || isLive(campaign.state)
  const here = PARTS.find((one) => one === part) ?? (begun ? 'monitor' : 'plan')
  const verbs = may(campaign).filter((verb) => verb !== 'pause' && verb !== 'resume')
  return (
    <Page
      title={campaign.name}
      subtitle={campaign.description || undefined}
      parts={PARTS.map((key) => ({ key, label: t(`part.${key}`) }))}
      base={`/campaigns/${id}`}
      part={here}
      actions={
        <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap', alignItems: 'center' }}>
          <Stack sx={{ alignItems: 'flex-start' }}>
            <StateOf campaign={campaign} />
          </Stack>
          {verbs.map((verb) => (
            <Button
              key={verb}
              size="small"
              variant={STRONG.includes(verb) ? 'contained' : 'outlined'}
              color={verb === 'cancel' ? 'error' : 'primary'}
              onClick={() => take(campaign, verb)}
            >
              {t(`verb.${verb}`)}
            </Button>
          ))}
          <Button component={Link} href="/campaigns" startIcon={<ArrowLeft size={18} />}>
            {t('wizard.all')}
          </Button>
        </Stack>
      }
    >
      {campaign.state === 'in_review' && isMine(campaign, me) && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {t('second_person')}
        </Alert>
      )}
      {here === 'monitor' && <Monitor campaign={campaign} may={may(campaign)} take={(verb) => take(campaign, verb)} />}
      {here === 'experiment' && <ReadOut campaign={campaign} />}
      {here === 'people' && <People campaign={campaign} />}
      {here === 'plan' && <PlanView campaign={campaign} />}
      {deeds.shown}
    </Page>
  )
}

/** The one step that is next. */
const STRONG: readonly Verb[] = ['submit', 'approve', 'start']
