/** What the campaign is called and what it is for: what counts as success, for how long, and what it may cost. */
import { Stack, TextField } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { GOALS, type Goal } from '../goals'
import { Choice, Group, NumberField, Row } from './fields'
import type { StepProps } from './steps'

export function GoalStep({ draft, set, teams }: StepProps) {
  const { t } = useTranslation('campaigns')
  const known = draft.goal === '' || GOALS.includes(draft.goal as Goal)
  const [own, setOwn] = useState(!known)
  const goals = [
    { value: 'none' as const, label: t('goal.none') },
    ...GOALS.map((value) => ({ value, label: t(`goal.kinds.${value}`) })),
    { value: 'own' as const, label: t('goal.own') },
  ]
  return (
    <Stack sx={{ gap: 3 }}>
      <Group title={t('goal.what')}>
        <TextField
          label={t('goal.name')}
          required
          autoFocus={!draft.name}
          value={draft.name}
          onChange={(event) => set({ name: event.target.value })}
          slotProps={{ htmlInput: { maxLength: 120 } }}
        />
        <TextField
          label={t('goal.description')}
          multiline
          minRows={2}
          value={draft.description}
          onChange={(event) => set({ description: event.target.value })}
          slotProps={{ htmlInput: { maxLength: 2000 } }}
        />
        <Row>
          <Choice
            label={t('goal.lane')}
            value={draft.lane}
            helperText={t(`goal.lane_help.${draft.lane}`)}
            options={(['marketing', 'utility'] as const).map((value) => ({ value, label: t(`goal.lanes.${value}`) }))}
            onChange={(lane) => set({ lane })}
          />
          <Choice
            label={t('goal.team')}
            value={draft.teamId ?? 'none'}
            helperText={t('goal.team_help')}
            options={[{ value: 'none', label: t('goal.no_team') }, ...teams]}
            onChange={(team) => set({ teamId: team === 'none' ? null : team })}
          />
        </Row>
      </Group>
      <Group title={t('goal.success')} help={t('goal.success_help')}>
        <Row>
          <Choice
            label={t('goal.goal')}
            value={own ? 'own' : draft.goal === '' ? 'none' : (draft.goal as Goal)}
            options={goals}
            onChange={(goal) => {
              setOwn(goal === 'own')
              set({ goal: goal === 'none' || goal === 'own' ? '' : goal })
            }}
          />
          {own && (
            <TextField
              size="small"
              label={t('goal.own_name')}
              helperText={t('goal.own_help')}
              value={draft.goal}
              onChange={(event) => set({ goal: event.target.value.toLowerCase().replace(/\s+/g, '_') })}
              slotProps={{ htmlInput: { maxLength: 40 } }}
            />
          )}
          <NumberField
            label={t('goal.window')}
            helperText={t('goal.window_help')}
            value={draft.windowDays}
            min={1}
            max={90}
            onChange={(days) => set({ windowDays: days ?? 14 })}
          />
        </Row>
      </Group>
      <Group title={t('goal.budget_title')}>
        <Row>
          <NumberField
            label={t('goal.budget')}
            helperText={t('goal.budget_help')}
            value={draft.budget}
            min={0}
            step="any"
            onChange={(budget) => set({ budget })}
          />
          <Choice
            label={t('goal.currency')}
            value={draft.budgetCurrency}
            options={['USD', 'BRL', 'EUR'].map((value) => ({ value, label: value }))}
            onChange={(budgetCurrency) => set({ budgetCurrency })}
          />
        </Row>
      </Group>
    </Stack>
  )
}
