/** What follows the first message: a simple list of steps, each after a wait, for whoever did or did not answer. */
import { Button, IconButton, Paper, Stack, Tooltip, Typography } from '@mui/material'
import { Plus, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { DraftStep } from '../plan'
import { Choice, Group, NumberField, Row } from './fields'

const CONDITIONS = ['always', 'read', 'not_read', 'replied', 'not_replied'] as const
const MOST_STEPS = 10

interface Props {
  steps: DraftStep[]
  variants: string[]
  onChange: (next: DraftStep[]) => void
}

export function Journey({ steps, variants, onChange }: Props) {
  const { t } = useTranslation('campaigns')
  const change = (place: number, next: DraftStep) => onChange(steps.map((one, at) => (at === place ? next : one)))
  return (
    <Group title={t('journey.title')} help={t('journey.help')}>
      {steps.map((one, place) => (
        <Paper
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the journey, and has no other name
          key={place}
          variant="outlined"
          sx={{ p: 2 }}
          component="section"
          aria-label={t('journey.step', { number: place + 2 })}
        >
          <Stack direction="row" sx={{ alignItems: 'center', mb: 1.5 }}>
            <Typography sx={{ flex: 1, fontWeight: 600 }}>{t('journey.step', { number: place + 2 })}</Typography>
            <Tooltip title={t('journey.remove', { number: place + 2 })}>
              <IconButton
                size="small"
                aria-label={t('journey.remove', { number: place + 2 })}
                onClick={() => onChange(steps.filter((_, at) => at !== place))}
              >
                <Trash2 size={18} />
              </IconButton>
            </Tooltip>
          </Stack>
          <Row>
            <NumberField
              label={t('journey.after')}
              value={one.afterHours}
              min={0.1}
              max={2160}
              step="any"
              onChange={(hours) => change(place, { ...one, afterHours: hours ?? 0 })}
            />
            <Choice
              label={t('journey.when')}
              value={one.when}
              options={CONDITIONS.map((value) => ({ value, label: t(`journey.conditions.${value}`) }))}
              onChange={(when) => change(place, { ...one, when })}
            />
            <Choice
              label={t('journey.send')}
              value={one.variant}
              options={variants.map((value) => ({ value, label: t('message.variant', { name: value.toUpperCase() }) }))}
              onChange={(variant) => change(place, { ...one, variant })}
            />
          </Row>
        </Paper>
      ))}
      {steps.length < MOST_STEPS && (
        <Button
          startIcon={<Plus size={16} />}
          sx={{ alignSelf: 'flex-start' }}
          onClick={() => onChange([...steps, { afterHours: 48, when: 'not_replied', variant: variants[0] ?? '' }])}
        >
          {t('journey.add')}
        </Button>
      )}
    </Group>
  )
}
