/** A campaign while it is written: what the fields hold, and the way to and from what the API takes. Pure. */
import type { components } from '../../api/schema'
import { fromField, toField } from '../../shared/format'
import { LINK } from './sources'

type Schemas = components['schemas']
export type Campaign = Schemas['Campaign']
export type Body = Schemas['NewCampaign']
export type Metric = NonNullable<NonNullable<Body['experiment']>['metric']>
export type Condition = NonNullable<Schemas['Step-Input']['when']>
export type TriggerEvent = Schemas['Trigger']['event']

export const STEPS = ['goal', 'audience', 'message', 'experiment', 'schedule', 'review'] as const
export type StepName = (typeof STEPS)[number]

/** What fills a place of a template. */
export interface Filling {
  source: string
  fallback: string
  /** Of a tracked link: where it leads. */
  url?: string
}

export interface DraftVariant {
  name: string
  /** `name|language`; null until one is chosen. */
  template: string | null
  variables: Record<string, Filling>
  /** Percent of the recipients; 0: only later steps of the journey send it. */
  share: number
}

export interface DraftStep {
  afterHours: number
  when: Condition
  variant: string
}

export interface Draft {
  name: string
  description: string
  teamId: string | null
  lane: 'marketing' | 'utility'
  goal: string
  windowDays: number
  budget: number | null
  budgetCurrency: string
  audience: { segment_id?: string; snapshot_id?: string; upload_id?: string; definition?: Record<string, unknown> }
  variants: DraftVariant[]
  controlName: string
  control: number
  steps: DraftStep[]
  allocation: 'fixed' | 'winner' | 'thompson'
  metric: Metric
  effect: number
  alpha: number
  mostOptOuts: number
  testShare: number
  decideWithinHours: number
  floor: number
  holdout: number
  kind: Body['kind'] & string
  start: 'now' | 'at'
  startAt: string
  until: string
  timing: 'open_hours' | 'local_time' | 'best_hour'
  localTime: string
  hours: string
  holidays: boolean
  rhythm: { every: 'day' | 'week' | 'month'; hour: number; weekday: number; monthDay: number }
  trigger: { event: TriggerEvent; level: number; region: string }
  perDay: number | null
  runway: number
  smooth: boolean
  smoothStart: { share: number; atLeast: number; waitMinutes: number; mostFailed: number; mostOptOuts: number }
  capped: boolean
  cap: { messages: number; days: number }
}

export function freshVariant(name: string, share: number): DraftVariant {
  return { name, template: null, variables: {}, share }
}

export function freshDraft(): Draft {
  return {
    name: '',
    description: '',
    teamId: null,
    lane: 'marketing',
    goal: '',
    windowDays: 14,
    budget: null,
    budgetCurrency: 'USD',
    audience: {},
    variants: [freshVariant('a', 100)],
    controlName: 'controle',
    control: 0,
    steps: [],
    allocation: 'fixed',
    metric: 'reply',
    effect: 3,
    alpha: 5,
    mostOptOuts: 1,
    testShare: 100,
    decideWithinHours: 72,
    floor: 10,
    holdout: 0,
    kind: 'once',
    start: 'now',
    startAt: '',
    until: '',
    timing: 'open_hours',
    localTime: '10:00',
    hours: '',
    holidays: true,
    rhythm: { every: 'week', hour: 10, weekday: 1, monthDay: 1 },
    trigger: { event: 'invoice_issued', level: 0.7, region: '' },
    perDay: null,
    runway: 500,
    smooth: false,
    smoothStart: { share: 2, atLeast: 50, waitMinutes: 60, mostFailed: 10, mostOptOuts: 2 },
    capped: true,
    cap: { messages: 2, days: 7 },
  }
}

/** What the API takes. A draft that `faults` finds whole makes a body that the hub does not refuse for its form. */
export function bodyOf(draft: Draft): Body {
  const control = draft.control > 0 ? [{ name: draft.controlName, share: part(draft.control), variables: {} }] : []
  return {
    name: draft.name.trim(),
    description: draft.description,
    team_id: draft.teamId,
    kind: draft.kind,
    lane: draft.lane,
    audience: draft.audience,
    variants: [...control, ...draft.variants.map(variantBody)],
    schedule: {
      start_at: draft.kind === 'once' && draft.start === 'at' && draft.startAt ? fromField(draft.startAt) : null,
      until: draft.until ? fromField(draft.until) : null,
      hours: draft.hours.trim() || null,
      holidays: draft.holidays,
      local_time: draft.timing === 'local_time' ? draft.localTime : null,
      best_hour: draft.timing === 'best_hour',
      rhythm: draft.kind === 'recurring' ? rhythmBody(draft.rhythm) : null,
      trigger: draft.kind === 'triggered' ? triggerBody(draft.trigger) : null,
    },
    pacing: {
      per_day: draft.perDay,
      runway: draft.runway,
      smooth_start: draft.smooth
        ? {
            share: part(draft.smoothStart.share),
            at_least: draft.smoothStart.atLeast,
            wait_minutes: draft.smoothStart.waitMinutes,
            most_failed: part(draft.smoothStart.mostFailed),
            most_opt_outs: part(draft.smoothStart.mostOptOuts),
          }
        : null,
      cap: draft.capped ? draft.cap : null,
    },
    experiment: {
      allocation: draft.allocation,
      metric: draft.metric,
      effect: part(draft.effect),
      alpha: part(draft.alpha),
      most_opt_outs: part(draft.mostOptOuts),
      test_share: draft.allocation === 'winner' ? part(draft.testShare) : 1,
      decide_within_hours: draft.decideWithinHours,
      floor: part(draft.floor),
      holdout: part(draft.holdout),
    },
    steps: draft.steps.map((one) => ({ after_hours: one.afterHours, when: one.when, variant: one.variant })),
    goal: draft.goal || null,
    window_days: draft.windowDays,
    budget_micros: draft.budget === null ? null : Math.round(draft.budget * 1e6),
    budget_currency: draft.budgetCurrency,
  }
}

function variantBody(one: DraftVariant): NonNullable<Body['variants']>[number] {
  const [name = null, language = null] = one.template?.split('|') ?? []
  return {
    name: one.name,
    template_name: name,
    template_language: language,
    variables: mapped(one.variables, fillingBody),
    share: part(one.share),
  }
}

type VariableBody = Schemas['Variable']

function fillingBody({ source, fallback, url }: Filling): VariableBody {
  return source === LINK ? { source, fallback: '', url: url?.trim() ?? '' } : { source, fallback }
}

function fillingOf({ source, fallback, url }: VariableBody): Filling {
  return source === LINK ? { source, fallback: '', url: url ?? '' } : { source, fallback: fallback ?? '' }
}

function mapped<A, B>(all: Record<string, A>, to: (one: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, to(one)]))
}

function rhythmBody({ every, hour, weekday, monthDay }: Draft['rhythm']): Schemas['Rhythm'] {
  return { every, hour, weekday: every === 'week' ? weekday : null, month_day: every === 'month' ? monthDay : null }
}

function triggerBody({ event, level, region }: Draft['trigger']): Schemas['Trigger'] {
  return {
    event,
    level: event === 'churn_risk' ? level : null,
    region_code: event === 'outage_started' ? region.trim() || null : null,
  }
}

/** A share of 1 from percent, without the noise of binary fractions. */
const part = (percent: number) => Math.round(percent * 1e6) / 1e8
const percent = (share: number) => Math.round(share * 1e6) / 1e4

/** The fields of a campaign that is kept; what the API left out is as `freshDraft` has it. */
export function draftOf(kept: Body): Draft {
  const fresh = freshDraft()
  const { schedule, pacing, experiment } = kept
  const control = kept.variants.find((one) => !one.template_name)
  const smooth = pacing?.smooth_start
  return {
    ...fresh,
    name: kept.name,
    description: kept.description ?? '',
    teamId: kept.team_id ?? null,
    lane: kept.lane ?? 'marketing',
    goal: kept.goal === 'reply' ? '' : (kept.goal ?? ''), // the same as none
    windowDays: kept.window_days ?? 14,
    budget: kept.budget_micros == null ? null : kept.budget_micros / 1e6,
    budgetCurrency: kept.budget_currency ?? 'USD',
    audience: told(kept.audience),
    variants: kept.variants
      .filter((one) => one.template_name)
      .map((one) => ({
        name: one.name,
        template: `${one.template_name}|${one.template_language}`,
        variables: mapped(one.variables ?? {}, fillingOf),
        share: percent(one.share ?? 1),
      })),
    controlName: control?.name ?? fresh.controlName,
    control: percent(control?.share ?? 0),
    steps: (kept.steps ?? []).map((one) => ({
      afterHours: one.after_hours,
      when: one.when ?? 'not_replied',
      variant: one.variant,
    })),
    allocation: experiment?.allocation ?? 'fixed',
    metric: experiment?.metric ?? 'reply',
    effect: percent(experiment?.effect ?? 0.03),
    alpha: percent(experiment?.alpha ?? 0.05),
    mostOptOuts: percent(experiment?.most_opt_outs ?? 0.01),
    testShare: percent(experiment?.test_share ?? 1),
    decideWithinHours: experiment?.decide_within_hours ?? 72,
    floor: percent(experiment?.floor ?? 0.1),
    holdout: percent(experiment?.holdout ?? 0),
    kind: kept.kind ?? 'once',
    start: schedule?.start_at ? 'at' : 'now',
    startAt: schedule?.start_at ? toField(new Date(schedule.start_at)) : '',
    until: schedule?.until ? toField(new Date(schedule.until)) : '',
    timing: schedule?.best_hour ? 'best_hour' : schedule?.local_time ? 'local_time' : 'open_hours',
    localTime: (schedule?.local_time ?? fresh.localTime).slice(0, 5),
    hours: schedule?.hours ?? '',
    holidays: schedule?.holidays ?? true,
    rhythm: schedule?.rhythm
      ? {
          every: schedule.rhythm.every,
          hour: schedule.rhythm.hour,
          weekday: schedule.rhythm.weekday ?? 1,
          monthDay: schedule.rhythm.month_day ?? 1,
        }
      : fresh.rhythm,
    trigger: schedule?.trigger
      ? {
          event: schedule.trigger.event,
          level: schedule.trigger.level ?? fresh.trigger.level,
          region: schedule.trigger.region_code ?? '',
        }
      : fresh.trigger,
    perDay: pacing?.per_day ?? null,
    runway: pacing?.runway ?? 500,
    smooth: Boolean(smooth),
    smoothStart: smooth
      ? {
          share: percent(smooth.share ?? 0.02),
          atLeast: smooth.at_least ?? 50,
          waitMinutes: smooth.wait_minutes ?? 60,
          mostFailed: percent(smooth.most_failed ?? 0.1),
          mostOptOuts: percent(smooth.most_opt_outs ?? 0.02),
        }
      : fresh.smoothStart,
    capped: pacing?.cap !== null,
    cap: { messages: pacing?.cap?.messages ?? 2, days: pacing?.cap?.days ?? 7 },
  }
}

/** The one way to tell an audience that is set. */
function told(audience: Body['audience']): Draft['audience'] {
  return Object.fromEntries(Object.entries(audience).filter(([, value]) => value != null))
}

/**
 * What the places of a template start with: a name is greeted, everything else wants words of its own. Nothing stands there where
 * a value is missing: the template's example is somebody's name or amount, and would go out to everybody.
 */
export function fillingsFor(places: { key: string }[], before: Record<string, Filling>) {
  const first = /nome|name|^body\.1$/i
  return Object.fromEntries(
    places.map(({ key }) => [
      key,
      before[key] ?? { source: first.test(key) ? 'customer.first_name' : 'text', fallback: '' },
    ]),
  )
}

/** Shares in percent that sum to 100 beside the control; variants of later steps keep their 0. */
export function evenly(variants: DraftVariant[], control: number): DraftVariant[] {
  const sending = variants.filter((one) => one.share > 0).length || variants.length
  const each = Math.floor(((100 - control) / sending) * 100) / 100
  const rest = Math.round((100 - control - each * (sending - 1)) * 100) / 100
  let left = sending
  return variants.map((one) => {
    if (one.share === 0 && sending < variants.length) return one
    left -= 1
    return { ...one, share: left === 0 ? rest : each }
  })
}

/** A name that no variant has yet: a, b, c. */
export function nextName(variants: DraftVariant[], controlName: string): string {
  const taken = new Set([...variants.map((one) => one.name), controlName])
  return [...'abcdefghijklmnopqrstuvwxyz'].find((one) => !taken.has(one)) ?? `v${variants.length + 1}`
}
