import { beforeEach, describe, expect, it } from 'vitest'
import { problemFrom } from '../src/api/problem'
import { drop, keep, readKept } from '../src/features/campaigns/drafts'
import { FAULTS, faultsOf, firstFaulty, isKeepable } from '../src/features/campaigns/faults'
import {
  bodyOf,
  type Draft,
  draftOf,
  evenly,
  fillingsFor,
  freshDraft,
  freshVariant,
  nextName,
} from '../src/features/campaigns/plan'
import { isMine, progress, verbsFor } from '../src/features/campaigns/states'
import { cumulative, type Figures, progressOf, rowsOf, shareOf } from '../src/features/campaigns/watch/figures'
import { eventsOf } from '../src/features/campaigns/watch/lineageEvents'
import { band, nearest, ratios, type Test, verdictOf } from '../src/features/campaigns/watch/verdict'
import { shownOf } from '../src/features/campaigns/wizard/Phone'
import pt from '../src/locales/pt-BR/campaigns.json'

const NOW = new Date('2026-11-26T15:00:00Z')

function whole(changes: Partial<Draft> = {}): Draft {
  const variables = { 'body.1': { source: 'customer.first_name', fallback: 'cliente' } }
  return {
    ...freshDraft(),
    name: 'Fibra 600',
    audience: { segment_id: 'seg' },
    variants: [
      { name: 'a', template: 'oferta|pt_BR', variables, share: 45 },
      {
        name: 'b',
        template: 'oferta_dois|pt_BR',
        variables: { 'button.0': { source: 'link', fallback: '', url: 'https://loja.example.com/?hub={click}' } },
        share: 45,
      },
    ],
    control: 10,
    ...changes,
  }
}

describe('a draft', () => {
  it('is the same after the way to the API and back, whatever is chosen', () => {
    const drafts = [
      whole(),
      whole({ kind: 'recurring', rhythm: { every: 'month', hour: 9, weekday: 1, monthDay: 5 } }),
      whole({ kind: 'triggered', trigger: { event: 'outage_started', level: 0.7, region: 'SP-Sul' } }),
      whole({ kind: 'triggered', trigger: { event: 'churn_risk', level: 0.4, region: '' } }),
      whole({
        start: 'at',
        startAt: '2026-12-01T10:30',
        until: '2026-12-03T18:00',
        timing: 'local_time',
        localTime: '18:15',
      }),
      whole({
        timing: 'best_hour',
        budget: 12.5,
        goal: 'payment',
        teamId: 'team',
        perDay: 5000,
        capped: false,
        holidays: false,
      }),
      whole({
        allocation: 'winner',
        testShare: 33.3,
        smooth: true,
        steps: [{ afterHours: 48, when: 'not_read', variant: 'b' }],
      }),
    ]
    for (const draft of drafts) expect(draftOf(bodyOf(draft))).toEqual(draft)
  })

  it('tells the API shares that sum to 1, and the control first', () => {
    const { variants } = bodyOf(whole())
    expect(variants.map((one) => [one.name, one.share, one.template_name ?? null])).toEqual([
      ['controle', 0.1, null],
      ['a', 0.45, 'oferta'],
      ['b', 0.45, 'oferta_dois'],
    ])
    expect(bodyOf(whole({ start: 'at', startAt: '2026-12-01T10:30' })).schedule?.start_at).toBe(
      '2026-12-01T13:30:00.000Z',
    )
  })

  it('divides shares evenly, keeps those of later steps, and names new variants', () => {
    const three = [freshVariant('a', 1), freshVariant('b', 1), freshVariant('c', 1)]
    expect(evenly(three, 10).map((one) => one.share)).toEqual([30, 30, 30])
    expect(evenly(three, 0).reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(100)
    expect(evenly([freshVariant('a', 60), freshVariant('later', 0)], 20).map((one) => one.share)).toEqual([80, 0])
    expect(nextName([freshVariant('a', 1), freshVariant('c', 1)], 'b')).toBe('d')
  })

  it('greets by the first name, keeps what was chosen for a place, and makes nothing of an example', () => {
    const places = [
      { key: 'body.primeiro_nome', example: 'Ana' },
      { key: 'body.valor', example: '10' },
      { key: 'body.vencimento', example: '10/11/2026' },
    ]
    const before = { 'body.valor': { source: 'invoice.amount', fallback: 'o valor' } }
    expect(fillingsFor(places, before)).toEqual({
      'body.primeiro_nome': { source: 'customer.first_name', fallback: '' },
      'body.valor': { source: 'invoice.amount', fallback: 'o valor' },
      'body.vencimento': { source: 'text', fallback: '' },
    })
  })
})

describe('what a draft lacks', () => {
  it('is named by step, and a whole one lacks nothing', () => {
    expect(firstFaulty(whole(), NOW)).toBeNull()
    expect(firstFaulty(freshDraft(), NOW)).toBe('goal')
    expect(faultsOf(freshDraft(), 'audience', NOW)).toEqual(['audience'])
    expect(faultsOf(whole({ variants: [freshVariant('a', 90)] }), 'message', NOW)).toEqual(['template'])
    const off = { 'body.1': { source: 'link', fallback: '', url: 'loja' }, 'body.2': { source: 'text', fallback: ' ' } }
    const odd = [{ name: 'a', template: 'oferta|pt_BR', variables: off, share: 90 }]
    expect(faultsOf(whole({ variants: odd }), 'message', NOW)).toEqual(['fallbacks', 'link'])
    expect(faultsOf(whole({ control: 30 }), 'experiment', NOW)).toEqual(['shares'])
    expect(faultsOf(whole({ start: 'at', startAt: '2026-11-26T11:59' }), 'schedule', NOW)).toEqual(['start_past'])
    expect(faultsOf(whole({ start: 'at', startAt: '2026-11-26T12:01' }), 'schedule', NOW)).toEqual([])
    expect(faultsOf(whole({ steps: [{ afterHours: 0, when: 'always', variant: 'x' }] }), 'message', NOW)).toEqual([
      'step_variant',
      'step_hours',
    ])
    const alone = whole({
      allocation: 'winner',
      control: 0,
      variants: [{ ...freshVariant('a', 100), template: 'oferta|pt_BR' }],
    })
    expect(faultsOf(alone, 'experiment', NOW)).toEqual(['one_variant'])
  })

  it('does not keep the hub from keeping what it can, and every fault has words', () => {
    expect(isKeepable(whole({ allocation: 'winner', testShare: 0 }))).toBe(true)
    expect(isKeepable(whole({ control: 30 }))).toBe(false)
    expect(isKeepable(whole({ audience: {} }))).toBe(false)
    expect(Object.keys(pt.fault).sort()).toEqual([...FAULTS].sort())
  })
})

describe('a draft in this tab', () => {
  beforeEach(() => sessionStorage.clear())

  it('comes back as it was, to its writer only, and goes when it is dropped', () => {
    keep('ana', 'new', { draft: whole(), version: null, key: 'k' })
    expect(readKept('ana', 'new')).toEqual({ draft: whole(), version: null, key: 'k' })
    expect(readKept('bia', 'new')).toBeNull()
    drop('ana', 'new')
    expect(readKept('ana', 'new')).toBeNull()
    sessionStorage.setItem('hub.campaign.ana.new', '{"draft": 3}')
    expect(readKept('ana', 'new')).toBeNull()
    sessionStorage.setItem('hub.campaign.ana.new', 'no JSON')
    expect(readKept('ana', 'new')).toBeNull()
  })
})

describe('who may do what', () => {
  const made = { state: 'in_review' as const, created_by: 'user:ana', edited_by: 'user:ana', submitted_by: 'user:caio' }
  const all = ['campaigns:read', 'campaigns:write', 'campaigns:approve']

  it('leaves the approval to a second person', () => {
    const ana = { kind: 'user' as const, id: 'ana', permissions: all }
    expect(isMine(made, ana)).toBe(true)
    expect(verbsFor(made, ana)).toEqual(['edit', 'reject', 'cancel', 'copy'])
    expect(verbsFor(made, { ...ana, id: 'caio' })).not.toContain('approve')
    expect(verbsFor(made, { ...ana, id: 'bia' })).toContain('approve')
  })

  it('follows permissions and the state', () => {
    const bia = { kind: 'user' as const, id: 'bia', permissions: ['campaigns:read', 'campaigns:approve'] }
    expect(verbsFor({ ...made, state: 'running' }, bia)).toEqual(['pause', 'cancel'])
    expect(verbsFor({ ...made, state: 'paused' }, bia)).toEqual(['resume', 'cancel'])
    const limited = { ...made, state: 'paused' as const, budget_micros: 5_000_000 }
    expect(verbsFor(limited, bia)).toEqual(['resume', 'budget', 'cancel'])
    expect(verbsFor(limited, { ...bia, id: 'ana' })).toEqual(['resume', 'cancel'])
    expect(verbsFor({ ...made, state: 'completed' }, bia)).toEqual([])
    expect(verbsFor(made, { ...bia, permissions: ['campaigns:read'] })).toEqual([])
    expect(progress({ eligible: 0, turns: 0 })).toBeNull()
    expect(progress({ eligible: 200, turns: 50 })).toBe(0.25)
  })
})

const figures = (changes: Partial<Figures>): Figures => ({
  sent: 0,
  delivered: 0,
  read: 0,
  failed: 0,
  clicked: 0,
  clicks: 0,
  replied: 0,
  converted: 0,
  goals: 0,
  value_micros: 0,
  value_currency: '',
  opted_out: 0,
  cost_micros: 0,
  cost_currency: '',
  ...changes,
})

describe('the funnel', () => {
  it('has the whole first, variants where there are several, and shares of who was written to', () => {
    const results = {
      campaign_id: 'c',
      as_of: null,
      total: figures({ sent: 10, read: 5 }),
      by_variant: [
        { variant: 'a', ...figures({ sent: 4 }) },
        { variant: 'b', ...figures({ sent: 6 }) },
      ],
      by_number: [{ number_id: 'n1', ...figures({ sent: 10 }) }],
      by_segment: [
        { segment_id: 's1', name: 'Devedores', ...figures({ sent: 3 }) },
        { segment_id: 's2', name: null, ...figures({ sent: 1 }) },
      ],
      series: [],
    }
    expect(rowsOf(results, 'variant').map((one) => one.key)).toEqual([null, 'a', 'b'])
    const alone = { ...results, by_variant: results.by_variant.slice(0, 1) }
    expect(rowsOf(alone, 'variant').map((one) => one.key)).toEqual([null])
    const [total, first, second] = rowsOf(results, 'segment')
    expect(total?.figures).toBe(results.total)
    expect([first?.name, first?.figures.sent, second?.name]).toEqual(['Devedores', 3, null])
    expect(rowsOf(results, 'number').map((one) => one.key)).toEqual([null, 'n1'])
    expect(shareOf(results.total, 'read')).toBe(0.5)
    expect(shareOf(figures({}), 'read')).toBeNull()
  })

  it('adds up hour by hour in their order', () => {
    const series = [
      { hour: '2026-11-26T11:00:00Z', ...figures({ sent: 1, read: 2 }) },
      { hour: '2026-11-26T10:00:00Z', ...figures({ sent: 5 }) },
    ]
    expect(cumulative(series).map((one) => [one.counts.sent, one.counts.read])).toEqual([
      [5, 0],
      [6, 2],
    ])
  })

  it('has no progress while the list freezes, and is over when nobody is left', () => {
    const run = { state: 'running', eligible: 200, turns: 50 }
    const now = (changes: object) => ({ run: { ...run, ...changes } }) as Parameters<typeof progressOf>[0]
    expect(progressOf(now({ state: 'freezing', eligible: null }))).toBeNull()
    expect(progressOf(now({}))).toBe(0.25)
    expect(progressOf(now({ eligible: 0 }))).toBe(1)
  })
})

describe('the words of a test', () => {
  const test = (changes: Partial<Test> = {}): Test => ({
    run_id: 'r',
    metric: 'reply',
    allocation: 'winner',
    effect: 0.03,
    alpha: 0.05,
    margin: 0.01,
    arms: [
      { variant: 'a', control: false, share: 0.45, n: 100, successes: 5, rate: 0.05, opt_outs: 0 },
      { variant: 'b', control: false, share: 0.45, n: 80, successes: 12, rate: 0.15, opt_outs: 0 },
      { variant: 'controle', control: true, share: 0.1, n: 20, successes: null, rate: null, opt_outs: null },
    ],
    best: 'b',
    differences: [{ better: 'b', worse: 'a', difference: 0.1, low: -0.02, high: 0.22, p: 0.2, harm_high: null }],
    why: 'undecided',
    mismatch_p: 1,
    promoted: null,
    least_units: 100,
    least_events: 40,
    ...changes,
  })

  it('say who leads, by how much and whether that is sure', () => {
    const verdict = verdictOf(test(), 'pt-BR')
    expect([verdict.key, verdict.severity]).toEqual(['undecided', 'info'])
    expect(verdict.values).toMatchObject({ better: 'B', worse: 'A', difference: '10', low: '-2', high: '22' })
    expect(verdictOf(test({ why: 'promote' }), 'en').key).toBe('conclusive')
    expect(verdictOf(test({ why: 'undecided', promoted: 'b' }), 'en').key).toBe('promoted')
    expect(verdictOf(test({ why: 'mismatch', promoted: 'b' }), 'en').severity).toBe('error')
    expect(verdictOf(test({ differences: [] }), 'en').values.worse).toBe('')
  })

  it('compare with the nearest, and arms with what was planned', () => {
    const far = { better: 'b', worse: 'c', difference: 0.14, low: 0, high: 0.3, p: 0.01, harm_high: 0 }
    expect(nearest(test({ differences: [far, ...test().differences] }))?.worse).toBe('a')
    expect(ratios(test()).map((one) => one.expected)).toEqual([90, 90, 20])
    expect(band([{ low: -0.02, high: 0.22 }])).toEqual({ floor: [-2], height: [24] })
  })
})

describe('the way of a message', () => {
  it('is told in the order in which it happened', () => {
    const goal = {
      id: 'g',
      kind: 'purchase',
      occurred_at: '2026-11-26T13:00:00Z',
      value_micros: 5,
      value_currency: 'BRL',
      window_days: 7,
    }
    const events = eventsOf({
      queued_at: '2026-11-26T10:00:00Z',
      statuses: [{ at: '2026-11-26T10:00:02Z', from_state: 'queued', to_state: 'sent', error_code: null }],
      answers: [{ id: 'm', at: '2026-11-26T10:05:00Z', type: 'text' }],
      clicks: [
        {
          link_id: 'l',
          name: 'Fibra',
          clicks: 2,
          previews: 0,
          first_clicked_at: '2026-11-26T10:01:00Z',
          last_clicked_at: null,
        },
        { link_id: 'l', name: 'never', clicks: 0, previews: 1, first_clicked_at: null, last_clicked_at: null },
      ],
      goals: [{ ...goal, reason: 'outside_window' }],
    })
    expect(events.map((one) => one.kind)).toEqual(['queued', 'status', 'click', 'answer', 'goal'])
    expect(events.at(-1)).toMatchObject({ counts: false, value: 5 })
  })

  it('tells states as they follow from each other, though clocks of the channel have whole seconds', () => {
    const told = (to_state: string, at: string) => ({ at, from_state: 'queued', to_state, error_code: null })
    const events = eventsOf({
      queued_at: '2026-11-26T10:00:01.100Z',
      statuses: [
        told('sent', '2026-11-26T10:00:01Z'),
        told('delivered', '2026-11-26T10:00:01Z'),
        told('accepted', '2026-11-26T10:00:01.400Z'),
        told('read', '2026-11-26T10:00:03Z'),
      ],
      answers: [{ id: 'm', at: '2026-11-26T10:00:03Z', type: 'text' }],
      clicks: [],
      goals: [],
    })
    const words = events.map((one) => (one.kind === 'status' ? one.state : one.kind))
    expect(words).toEqual(['queued', 'accepted', 'sent', 'delivered', 'read', 'answer'])
  })
})

describe('what the page shows of the hub', () => {
  it('is the preview with its marks, and nothing where nothing is', () => {
    const shown = shownOf({
      header: { format: 'TEXT', text: 'Oi' },
      body: [
        { text: 'Olá, ', styles: [] },
        { text: 'Ana', styles: ['bold'] },
      ],
      footer: null,
      buttons: [{ type: 'URL', label: 'Ver' }],
    })
    expect(shown).toEqual({ header: 'Oi', file: null, body: 'Olá, *Ana*', footer: null, buttons: ['Ver'] })
    expect(shownOf({})).toEqual({ header: null, file: null, body: '', footer: null, buttons: [] })
  })

  it('keeps what a refusal says is in the way', () => {
    const refused = problemFrom(409, { code: 'campaign_blocked', detail: 'no', problems: [{ code: 'nobody' }] })
    expect(refused.told.problems).toEqual([{ code: 'nobody' }])
  })
})
