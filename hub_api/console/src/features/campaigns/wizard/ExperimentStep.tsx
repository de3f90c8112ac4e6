/** How the test is made and decided: control, shares, what is looked at, by which rule; and whether it can find anything. */
import { Alert, Button, Stack } from '@mui/material'
import { Scale } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { percent } from '../../../shared/format'
import { Loading } from '../../../shared/States'
import { evenly, freshDraft, type Metric } from '../plan'
import { Choice, Group, NumberField, Row } from './fields'
import type { StepProps } from './steps'
import { useCheck } from './useCheck'

const METRICS: Metric[] = ['reply', 'read', 'conversion']
const SETTINGS = {
  holdout: { words: 'holdout', min: 0, max: 50 },
  effect: { words: 'effect', min: 0.1, max: 99 },
  testShare: { words: 'test_share', min: 1, max: 100 },
  decideWithinHours: { words: 'decide_within', min: 1, max: 2160, step: 1 },
  floor: { words: 'floor', min: 0, max: 50 },
  alpha: { words: 'alpha', min: 0.1, max: 49 },
  mostOptOuts: { words: 'opt_outs', min: 0.1, max: 99 },
} as const
const ALLOCATIONS = ['fixed', 'winner', 'thompson'] as const

export function ExperimentStep(props: StepProps) {
  const { draft, set, kept } = props
  const { t, i18n } = useTranslation('campaigns')
  const sum = draft.control + draft.variants.reduce((so, one) => so + one.share, 0)
  const decides = draft.allocation !== 'fixed'
  return (
    <Stack sx={{ gap: 3 }}>
      <Group title={t('experiment.shares')} help={t('experiment.shares_help')}>
        <Row>
          <NumberField
            label={t('experiment.control')}
            helperText={t('experiment.control_help')}
            value={draft.control}
            min={0}
            max={90}
            step="any"
            onChange={(control) => set({ control: control ?? 0, variants: evenly(draft.variants, control ?? 0) })}
          />
          {draft.variants.map((one, place) => (
            <NumberField
              // biome-ignore lint/suspicious/noArrayIndexKey: its name may change
              key={place}
              label={t('experiment.share_of', { name: one.name.toUpperCase() })}
              helperText={one.share === 0 ? t('experiment.only_later') : undefined}
              value={one.share}
              min={0}
              max={100}
              step="any"
              onChange={(share) =>
                set({
                  variants: draft.variants.map((each, at) => (at === place ? { ...each, share: share ?? 0 } : each)),
                })
              }
            />
          ))}
        </Row>
        <Stack direction="row" sx={{ gap: 2, alignItems: 'center', flexWrap: 'wrap' }}>
          <Button
            startIcon={<Scale size={16} />}
            onClick={() => set({ variants: evenly(draft.variants, draft.control) })}
          >
            {t('experiment.evenly')}
          </Button>
          <Alert severity={Math.abs(sum - 100) <= 0.1 ? 'success' : 'error'} role="status" sx={{ py: 0 }}>
            {t('experiment.sum', { sum: percent(sum / 100, i18n.language) })}
          </Alert>
        </Stack>
        <Setting name="holdout" {...props} />
      </Group>
      <Group title={t('experiment.rule')}>
        <Row>
          <Choice
            label={t('experiment.allocation')}
            value={draft.allocation}
            helperText={t(`experiment.allocation_help.${draft.allocation}`)}
            options={ALLOCATIONS.map((value) => ({ value, label: t(`experiment.allocations.${value}`) }))}
            onChange={(allocation) =>
              set({ allocation, ...(allocation === 'winner' && draft.testShare === 100 ? { testShare: 30 } : {}) })
            }
          />
          <Choice
            label={t('experiment.metric')}
            value={draft.metric}
            helperText={t('experiment.metric_help')}
            options={METRICS.map((value) => ({ value, label: t(`metric.${value}`) }))}
            onChange={(metric) => set({ metric })}
          />
          <Setting name="effect" {...props} />
        </Row>
        {decides && (
          <Row>
            {draft.allocation === 'winner' && (
              <>
                <Setting name="testShare" {...props} />
                <Setting name="decideWithinHours" {...props} />
              </>
            )}
            {draft.allocation === 'thompson' && <Setting name="floor" {...props} />}
            <Setting name="alpha" {...props} />
            <Setting name="mostOptOuts" {...props} />
          </Row>
        )}
      </Group>
      <Advice kept={kept} />
    </Stack>
  )
}

interface SettingProps extends Pick<StepProps, 'draft' | 'set'> {
  name: keyof typeof SETTINGS
}

/** A number of the rule; emptied, it is again what a new campaign has. */
function Setting({ name, draft, set }: SettingProps) {
  const { t } = useTranslation('campaigns')
  const { words, ...bounds } = SETTINGS[name]
  return (
    <NumberField
      label={t(`experiment.${words}`)}
      helperText={t(`experiment.${words}_help`)}
      value={draft[name]}
      step="any"
      {...bounds}
      onChange={(value) => set({ [name]: value ?? freshDraft()[name] })}
    />
  )
}

/** What the hub says of the sample's size, by the draft as it was kept last. */
function Advice({ kept }: Pick<StepProps, 'kept'>) {
  const { t, i18n } = useTranslation('campaigns')
  const checked = useCheck(kept)
  if (kept === null) return <Alert severity="info">{t('experiment.advice_later')}</Alert>
  if (checked.isPending) return <Loading />
  const advice = checked.data?.advice
  if (!advice) return null
  const enough = advice.smallest_variant >= advice.needed_per_variant
  const number = (value: number) => value.toLocaleString(i18n.language)
  return (
    <Alert severity={enough ? 'success' : 'warning'}>
      {t(enough ? 'experiment.advice_enough' : 'experiment.advice_few', {
        needed: number(advice.needed_per_variant),
        smallest: number(advice.smallest_variant),
      })}
      {!enough &&
        ` ${
          advice.detectable_effect === null
            ? t('experiment.advice_nothing')
            : t('experiment.advice_only', { points: number(Math.round(advice.detectable_effect * 1000) / 10) })
        }`}
    </Alert>
  )
}
