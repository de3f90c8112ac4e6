/** What is planned, as whoever approves it has to see it: everything that was asked, and what the hub says of it now. */
import { Box, Paper, Stack, Typography } from '@mui/material'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { dateTime, money, percent } from '../../../shared/format'
import { GOALS, type Goal } from '../goals'
import type { Campaign } from '../plan'
import { placeName } from '../sources'
import { useSourceName } from '../useSourceName'
import { ReviewStep } from '../wizard/ReviewStep'
import { AudienceName } from './AudienceName'

const BEFORE = ['draft', 'in_review', 'approved', 'scheduled']

export function PlanView({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation('campaigns')
  return (
    <Stack sx={{ gap: 3 }}>
      <Plan campaign={campaign} />
      {BEFORE.includes(campaign.state) && (
        <Box component="section" aria-label={t('plan.now')}>
          <Typography component="h3" sx={{ fontWeight: 700, mb: 1 }}>
            {t('plan.now')}
          </Typography>
          <ReviewStep kept={{ id: campaign.id, version: campaign.version }} whole />
        </Box>
      )}
    </Stack>
  )
}

function Plan({ campaign }: { campaign: Campaign }) {
  const { t, i18n } = useTranslation('campaigns')
  const { schedule, pacing, experiment } = campaign
  const nameOf = useSourceName()
  const at = (moment: string | null | undefined) => (moment ? dateTime(moment, i18n.language) : null)
  const goal =
    campaign.goal && campaign.goal !== 'reply'
      ? GOALS.includes(campaign.goal as Goal)
        ? t(`goal.kinds.${campaign.goal as Goal}`)
        : campaign.goal
      : t('goal.none')
  return (
    <Paper variant="outlined" sx={{ p: 2 }}>
      <Box
        component="dl"
        sx={{
          m: 0,
          display: 'grid',
          columnGap: 2,
          rowGap: 1,
          gridTemplateColumns: { xs: '1fr', sm: '200px minmax(0, 1fr)' },
        }}
      >
        <Fact name={t('list.made_by')}>
          {`${campaign.created_by_name ?? t('list.by_program')}, ${at(campaign.created_at)}`}
        </Fact>
        {campaign.approved_by && (
          <Fact
            name={t('plan.approved_by')}
          >{`${campaign.approved_by_name ?? t('list.by_program')}, ${at(campaign.approved_at)}`}</Fact>
        )}
        <Fact name={t('goal.goal')}>{t('plan.goal', { goal, days: campaign.window_days ?? 14 })}</Fact>
        <Fact name={t('goal.lane')}>{t(`goal.lanes.${campaign.lane ?? 'marketing'}`)}</Fact>
        <Fact name={t('step.audience')}>
          <AudienceName audience={campaign.audience} />
        </Fact>
        <Fact name={t('step.message')}>
          {campaign.variants.map((one) => (
            <Box key={one.name} sx={{ mb: 0.5 }}>
              <strong>{one.template_name ? one.name.toUpperCase() : t('people.states.control')}</strong>{' '}
              {percent(one.share ?? 1, i18n.language)}{' '}
              {one.template_name ? `${one.template_name} (${one.template_language})` : t('plan.control')}
              {Object.entries(one.variables ?? {}).map(([place, filling]) => (
                <Typography key={place} variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                  {`${placeName(place)}: ${nameOf(filling.source)}, `}
                  {filling.source === 'text' || filling.url
                    ? (filling.url ?? filling.fallback)
                    : t('plan.fallback', { words: filling.fallback })}
                </Typography>
              ))}
            </Box>
          ))}
          {(campaign.steps ?? []).map((one) => (
            <Box key={`${one.after_hours} ${one.variant}`}>
              {t('plan.step', {
                hours: one.after_hours,
                when: t(`journey.conditions.${one.when ?? 'not_replied'}`),
                variant: one.variant.toUpperCase(),
              })}
            </Box>
          ))}
        </Fact>
        <Fact name={t('step.experiment')}>
          {t(`experiment.allocations.${experiment?.allocation ?? 'fixed'}`)}
          {' · '}
          {t(`metric.${(experiment?.metric ?? 'reply') as 'reply'}`)}
          {(experiment?.holdout ?? 0) > 0 &&
            ` · ${t('experiment.holdout')} ${percent(experiment?.holdout ?? 0, i18n.language)}`}
        </Fact>
        <Fact name={t('step.schedule')}>
          {[
            t(`schedule.kinds.${campaign.kind ?? 'once'}`),
            schedule?.rhythm && `${t(`schedule.everys.${schedule.rhythm.every}`)}, ${schedule.rhythm.hour}h`,
            schedule?.trigger && t(`schedule.events.${schedule.trigger.event}`),
            at(schedule?.start_at),
            schedule?.until && `${t('schedule.until')} ${at(schedule.until)}`,
            schedule?.best_hour && t('schedule.timings.best_hour'),
            schedule?.local_time && `${t('schedule.timings.local_time')} ${schedule.local_time.slice(0, 5)}`,
            schedule?.hours,
            pacing?.per_day && `${t('schedule.per_day')}: ${pacing.per_day.toLocaleString(i18n.language)}`,
            pacing?.smooth_start && t('schedule.smooth'),
            pacing?.cap && t('plan.cap', { messages: pacing.cap.messages ?? 2, days: pacing.cap.days ?? 7 }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Fact>
        <Fact name={t('goal.budget')}>
          {campaign.budget_micros == null
            ? t('plan.no_budget')
            : money(campaign.budget_micros / 1e6, campaign.budget_currency ?? 'USD', i18n.language)}
        </Fact>
      </Box>
    </Paper>
  )
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <Typography component="dt" variant="body2" sx={{ color: 'text.secondary' }}>
        {name}
      </Typography>
      <Typography component="dd" variant="body2" sx={{ m: 0, overflowWrap: 'anywhere' }}>
        {children}
      </Typography>
    </>
  )
}
