/** What a draft still lacks, step by step, by names that the locales have words for. The hub looks again; this says it while one writes. */
import { type Draft, type Filling, STEPS, type StepName } from './plan'
import { LINK } from './sources'

export const FAULTS = [
  'name', 'goal', 'budget', 'audience', 'variant_names', 'template', 'fallbacks', 'link', 'shares', 'one_variant', 'test_share', 'start_at',
  'start_past', 'until', 'hour', 'month_day', 'level', 'step_variant', 'step_hours',
] as const // biome-ignore format: a list of names
export type Fault = (typeof FAULTS)[number]

type Look = (draft: Draft, now: Date) => (Fault | false | undefined)[]

const LOOKS: Record<StepName, Look> = {
  goal: (one) => [
    !one.name.trim() && 'name',
    one.goal !== '' && !/^[a-z][a-z0-9_]{0,39}$/.test(one.goal) && 'goal',
    one.budget !== null && !(one.budget >= 0) && 'budget',
  ],
  audience: (one) => [Object.keys(one.audience).length !== 1 && 'audience'],
  message: (one) => [
    (new Set(one.variants.map((each) => each.name)).size < one.variants.length ||
      one.variants.some((each) => !/^[a-z0-9_-]{1,40}$/.test(each.name) || each.name === one.controlName)) &&
      'variant_names',
    (one.variants.length === 0 || one.variants.some((each) => !each.template)) && 'template',
    fillings(one).some((each) => each.source !== LINK && !each.fallback.trim()) && 'fallbacks',
    fillings(one).some((each) => each.source === LINK && !/^https:\/\/[^\s]+$/.test(each.url?.trim() ?? '')) && 'link',
    one.steps.some((step) => !one.variants.some((each) => each.name === step.variant)) && 'step_variant',
    one.steps.some((step) => !(step.afterHours > 0)) && 'step_hours',
  ],
  experiment: (one) => [
    Math.abs(one.control + one.variants.reduce((sum, each) => sum + each.share, 0) - 100) > 0.1 && 'shares',
    one.allocation !== 'fixed' && one.variants.filter((each) => each.share > 0).length < 2 && 'one_variant',
    one.allocation === 'winner' && !(one.testShare > 0 && one.testShare <= 100) && 'test_share',
  ],
  schedule: (one, now) => [
    one.kind === 'once' && one.start === 'at' && !one.startAt && 'start_at',
    one.kind === 'once' &&
      one.start === 'at' &&
      one.startAt !== '' &&
      clock(one.startAt) < now.getTime() &&
      'start_past',
    one.until !== '' && clock(one.until) < Math.max(now.getTime(), one.startAt ? clock(one.startAt) : 0) && 'until',
    one.kind === 'recurring' && !(one.rhythm.hour >= 0 && one.rhythm.hour <= 23) && 'hour',
    one.kind === 'recurring' &&
      one.rhythm.every === 'month' &&
      !(one.rhythm.monthDay >= 1 && one.rhythm.monthDay <= 28) &&
      'month_day',
    one.kind === 'triggered' &&
      one.trigger.event === 'churn_risk' &&
      !(one.trigger.level >= 0 && one.trigger.level <= 1) &&
      'level',
  ],
  review: () => [],
}

const fillings = (draft: Draft): Filling[] => draft.variants.flatMap((one) => Object.values(one.variables))

/** Three hours behind UTC, as the operator's clock is: near enough to say that a time has passed. */
const clock = (field: string) => Date.parse(`${field}:00-03:00`)

/** The faults of one step. */
export function faultsOf(draft: Draft, step: StepName, now = new Date()): Fault[] {
  return LOOKS[step](draft, now).filter((one): one is Fault => Boolean(one))
}

/** The first step that lacks something; null: the draft is whole, and the hub can keep it. */
export function firstFaulty(draft: Draft, now = new Date()): StepName | null {
  return STEPS.find((step) => faultsOf(draft, step, now).length > 0) ?? null
}

/** Whether the hub takes the draft: it keeps what names an audience and a message, though more may be missing for sending. */
export function isKeepable(draft: Draft): boolean {
  return (
    (['goal', 'audience', 'message'] as const).every((step) => faultsOf(draft, step).length === 0) &&
    faultsOf(draft, 'experiment').every((one) => one !== 'shares')
  )
}
