/** A campaign written step by step: goal, audience, message, experiment, schedule, review. */
import { Alert, Box, Button, Paper, Stack, Typography } from '@mui/material'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { ArrowLeft, ArrowRight, Send } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { api, data } from '../../../api/client'
import { Page } from '../../../shared/admin/Page'
import { Failed, Loading } from '../../../shared/States'
import { useTeams } from '../../service/useTeams'
import { faultsOf, firstFaulty } from '../faults'
import { type Campaign, STEPS, type StepName } from '../plan'
import { Refusal } from '../Refusal'
import { AudienceStep } from './AudienceStep'
import { ExperimentStep } from './ExperimentStep'
import { GoalStep } from './GoalStep'
import { MessageStep } from './MessageStep'
import { ReviewStep } from './ReviewStep'
import { ScheduleStep } from './ScheduleStep'
import { StepList } from './StepList'
import type { StepProps } from './steps'
import { useDraft } from './useDraft'

const SHOWN = {
  goal: GoalStep,
  audience: AudienceStep,
  message: MessageStep,
  experiment: ExperimentStep,
  schedule: ScheduleStep,
}

/** The wizard on a campaign that is kept, or on a new one. */
export function Wizard({ id, step, onMade }: { id: string | null; step?: string; onMade: (id: string) => void }) {
  const asked = useQuery({
    queryKey: ['campaign', id],
    enabled: id !== null,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/campaigns/{campaign_id}', { params: { path: { campaign_id: id ?? '' } }, signal })),
  })
  const here = STEPS.find((one) => one === step) ?? 'goal'
  if (id === null) return <Written campaign={null} here={here} onMade={onMade} />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (asked.isPending) return <Loading />
  return <Written campaign={asked.data} here={here} onMade={onMade} />
}

interface WrittenProps {
  campaign: Campaign | null
  here: StepName
  onMade: (id: string) => void
}

function Written({ campaign, here, onMade }: WrittenProps) {
  const { t } = useTranslation('campaigns')
  const [, go] = useLocation()
  const client = useQueryClient()
  const teams = useTeams().map((one) => ({ value: one.id, label: one.name }))
  const top = useRef<HTMLHeadingElement>(null)
  const [tried, setTried] = useState<ReadonlySet<StepName>>(new Set())
  const [refused, setRefused] = useState<unknown>(null)
  const [submitting, setSubmitting] = useState(false)
  const address = (id: string, step: StepName) => `/campaigns/${id}/edit/${step}`
  const place = useRef(here)
  place.current = here
  const drafting = useDraft(campaign, (id) => {
    onMade(id)
    go(address(id, place.current), { replace: true })
  })
  const { draft, set, kept, save } = drafting
  const first = firstFaulty(draft)
  const faults = tried.has(here) ? faultsOf(draft, here) : []
  const faulty = new Set(STEPS.filter((one) => tried.has(one) && faultsOf(draft, one).length > 0))

  const move = async (to: StepName) => {
    setTried((before) => new Set([...before, here]))
    if (STEPS.indexOf(to) > STEPS.indexOf(here) && faultsOf(draft, here).length > 0) return
    await save() // what it lacks is said on the page; nothing that was typed goes away
    place.current = to
    go(address(kept?.id ?? pathId(), to), { replace: false })
    top.current?.focus()
  }
  const submit = async () => {
    setRefused(null)
    setSubmitting(true)
    try {
      if (!(await save()) || kept === null) return
      const path = { campaign_id: kept.id }
      await data(api.POST('/api/v1/campaigns/{campaign_id}/submit', { params: { path } }))
      await client.invalidateQueries({ queryKey: ['campaign', kept.id] })
      await client.invalidateQueries({ queryKey: ['campaigns'] })
      go(`/campaigns/${kept.id}`)
    } catch (error) {
      setRefused(error)
    } finally {
      setSubmitting(false)
    }
  }
  const props: StepProps = { draft, set, kept, save, teams }
  const Shown = here === 'review' ? null : SHOWN[here]
  const at = STEPS.indexOf(here)
  return (
    <Page
      title={draft.name || t('wizard.new')}
      subtitle={t(
        drafting.saving
          ? 'wizard.saving'
          : drafting.changed
            ? 'wizard.in_tab'
            : kept
              ? 'wizard.saved'
              : 'wizard.nothing',
      )}
      actions={
        <Button
          component={Link}
          href={kept ? `/campaigns/${kept.id}` : '/campaigns'}
          startIcon={<ArrowLeft size={18} />}
        >
          {t(kept ? 'wizard.leave' : 'wizard.all')}
        </Button>
      }
    >
      <Stack sx={{ gap: 2 }}>
        <StepList here={here} faulty={faulty} onGo={(step) => void move(step)} />
        {campaign && campaign.state !== 'draft' && <Alert severity="info">{t('wizard.void')}</Alert>}
        {drafting.stale && (
          <Alert
            severity="warning"
            action={
              <>
                <Button color="inherit" size="small" onClick={drafting.discard}>
                  {t('wizard.take_theirs')}
                </Button>
                <Button color="inherit" size="small" onClick={drafting.overwrite}>
                  {t('wizard.keep_mine')}
                </Button>
              </>
            }
          >
            {t('wizard.stale')}
          </Alert>
        )}
        {drafting.problem && <Refusal error={drafting.problem} />}
        <Paper variant="outlined" sx={{ p: { xs: 1.5, sm: 3 } }}>
          <Typography ref={top} tabIndex={-1} component="h3" variant="h6" sx={{ fontWeight: 700, mb: 2, outline: 0 }}>
            {t(`step.${here}`)}
          </Typography>
          {Shown ? <Shown {...props} /> : <ReviewStep kept={kept} whole={first === null && !drafting.changed} />}
          {faults.length > 0 && (
            <Alert severity="error" role="alert" sx={{ mt: 2 }}>
              <Box component="ul" sx={{ m: 0, pl: 2 }}>
                {faults.map((one) => (
                  <li key={one}>{t(`fault.${one}`)}</li>
                ))}
              </Box>
            </Alert>
          )}
          {here === 'review' && first !== null && (
            <Alert severity="error" sx={{ mt: 2 }}>
              {t('wizard.first_faulty', { step: t(`step.${first}`) })}
            </Alert>
          )}
          {refused !== null && (
            <Box sx={{ mt: 2 }}>
              <Refusal error={refused} />
            </Box>
          )}
        </Paper>
        <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
          {at > 0 && (
            <Button startIcon={<ArrowLeft size={16} />} onClick={() => void move(STEPS[at - 1] ?? 'goal')}>
              {t('wizard.back')}
            </Button>
          )}
          {drafting.changed && (
            <Button color="inherit" onClick={drafting.discard}>
              {t('wizard.discard')}
            </Button>
          )}
          <Box sx={{ flex: 1 }} />
          {here === 'review' ? (
            <Button
              variant="contained"
              startIcon={<Send size={16} />}
              loading={submitting}
              disabled={first !== null || kept === null}
              onClick={() => void submit()}
            >
              {t('wizard.submit')}
            </Button>
          ) : (
            <Button
              variant="contained"
              endIcon={<ArrowRight size={16} />}
              loading={drafting.saving}
              onClick={() => void move(STEPS[at + 1] ?? 'review')}
            >
              {t('wizard.next')}
            </Button>
          )}
        </Stack>
      </Stack>
    </Page>
  )
}

/** The id in the address: the hub may have given one a moment ago, which this rendering does not know yet. */
function pathId(): string {
  return /\/campaigns\/([^/]+)\/edit/.exec(window.location.pathname)?.[1] ?? 'new'
}
