import { describe, expect, it } from 'vitest'
import { byDay, daysOf, type Entry, hoursOn, plus, turned } from '../src/features/calendar/days'
import { BEGINS, type Catalogue, FIELDS, fieldsOf, withValue } from '../src/features/segments/fields'
import { faultsById, fromJson, numberOf, toJson, wanting } from '../src/features/segments/json'
import * as trees from '../src/features/segments/tree'
import { international } from '../src/features/suppressions/phone'

const CATALOGUE: Catalogue = {
  attributes: [
    { field: 'plan_kind', kind: 'text', nullable: false },
    { field: 'status', kind: 'text', nullable: false },
    { field: 'tenure_days', kind: 'number', nullable: false },
    { field: 'monthly_micros', kind: 'money', nullable: false },
    { field: 'inactive_days', kind: 'number', nullable: true },
  ],
  comparisons: ['eq', 'ne', 'lt', 'le', 'gt', 'ge'],
  actions: [
    { action: 'message', detail: 'type' },
    { action: 'payment', detail: null },
  ],
  metrics: ['satisfaction'],
  sentiments: ['negative'],
  places: ['state_code', 'city'],
  consents: ['marketing'],
  most_depth: 12,
  most_conditions: 200,
  most_values: 500,
  most_listed: 1000,
  most_days: 400,
}
const ID = '0199f2c0-7a0f-7b02-8c44-1f2e3d4c5b6a'
/** One of every kind, as the hub keeps it. */
const WHOLE = {
  type: 'and',
  of: [
    { type: 'attribute', field: 'plan_kind', op: 'in', value: ['fiber'] },
    { type: 'attribute', field: 'monthly_micros', op: 'ge', value: 99.9 },
    { type: 'known', field: 'inactive_days', known: false },
    { type: 'tags', test: 'all', tags: ['vip', 'obra'] },
    { type: 'behaviour', action: 'message', op: 'ge', count: 2, window_days: 30, ago_days: 7, detail: ['text'] },
    {
      type: 'sequence',
      first: { action: 'message', detail: ['text'] },
      // biome-ignore lint/suspicious/noThenProperty: a member of the hub's JSON
      then: { action: 'payment' },
      within_days: 3,
      window_days: 90,
    },
    { type: 'inactivity', days: 30, never: false },
    {
      type: 'or',
      of: [
        { type: 'campaign', response: 'not_replied', window_days: 30 },
        {
          type: 'not',
          of: { type: 'or', of: [{ type: 'sentiment', label: 'negative', op: 'ge', count: 1, window_days: 7 }] },
        },
        { type: 'kpi', metric: 'satisfaction', op: 'le', value: 2.5, window_days: 90 },
      ],
    },
    { type: 'not', of: { type: 'geography', level: 'state_code', places: ['SP'] } },
    { type: 'consent', scope: 'marketing', state: 'granted' },
    { type: 'random', salt: 'x', from_percent: 0, to_percent: 12.5 },
    { type: 'segment', segment_id: ID },
    { type: 'list', customer_ids: [ID] },
  ],
}

const child = (tree: trees.Node, ...places: number[]) => places.reduce((at, place) => at.of[place] as trees.Node, tree)

describe('the tree of a segment', () => {
  it('comes out of the editor as it went in, whatever its kinds', () => {
    expect(toJson(fromJson(WHOLE))).toEqual(WHOLE)
    expect(
      new Set(
        WHOLE.of.flatMap((one) => [
          one.type,
          ...('of' in one && Array.isArray(one.of) ? one.of.map((o) => o.type) : []),
        ]),
      ).size,
    ).toBeGreaterThan(13)
  })

  it('gets a group around a lone condition or a negated group, and folds what is negated twice', () => {
    const lone = { type: 'inactivity', days: 3, never: false }
    expect(toJson(fromJson(lone))).toEqual({ type: 'and', of: [lone] })
    expect(toJson(fromJson({ type: 'not', of: { type: 'not', of: lone } }))).toEqual({ type: 'and', of: [lone] })
    const none = { type: 'not', of: { type: 'or', of: [lone] } }
    expect(toJson(fromJson(none))).toEqual({ type: 'and', of: [none] })
    expect(() => fromJson({ type: 'telepathy' })).toThrow('telepathy')
  })

  it('is changed by functions that leave the old one alone', () => {
    const tree = fromJson(WHOLE)
    const before = JSON.stringify(tree)
    const [first, second] = [child(tree, 0), child(tree, 1)]
    const group = child(tree, 7)
    expect(trees.removed(tree, first.id).of[0]).toBe(second)
    expect(trees.removed(tree, tree.id)).toBe(tree)
    expect(trees.shifted(tree, first.id, 1).of.slice(0, 2)).toEqual([second, first])
    expect(trees.shifted(tree, first.id, -1)).toBe(tree)
    const moved = trees.moved(tree, first.id, group.id)
    expect(child(moved, 6).of.at(-1)).toBe(first)
    expect(trees.size(moved)).toBe(trees.size(tree))
    expect(trees.moved(tree, group.id, child(group, 1).id)).toBe(tree)
    expect(trees.moved(tree, group.id, group.id)).toBe(tree)
    const wrapped = trees.wrapped(tree, first.id, 'or')
    expect(toJson(child(wrapped, 0))).toEqual({ type: 'or', of: [WHOLE.of[0]] })
    const twice = trees.doubled(tree, group.id)
    expect(toJson(child(twice, 8))).toEqual(toJson(group))
    const ids = (one: trees.Node): string[] => [one.id, ...one.of.flatMap(ids)]
    expect(new Set(ids(twice)).size).toBe(ids(twice).length)
    expect(trees.added(tree, group.id, trees.node('tags')).of[7]?.of).toHaveLength(4)
    expect(JSON.stringify(tree)).toBe(before)
  })

  it('offers as targets every group but its own and those inside of it', () => {
    const tree = fromJson(WHOLE)
    const group = child(tree, 7)
    expect(trees.targets(tree, child(tree, 0).id).map((one) => one.id)).toEqual([group.id, child(group, 1).id])
    expect(trees.targets(tree, group.id)).toEqual([])
    expect(trees.targets(tree, child(group, 0).id).map((one) => one.id)).toEqual([tree.id, child(group, 1).id])
  })

  it('counts conditions and depth as the hub does, negations too', () => {
    const tree = fromJson(WHOLE)
    expect(trees.size(tree)).toBe(20)
    expect(trees.depth(tree)).toBe(5)
  })

  it('says what still wants something', () => {
    const tree = trees.node('and', {}, [
      trees.node('tags', { ...BEGINS.tags }),
      trees.node('behaviour', { ...BEGINS.behaviour, count: ' ' }),
      trees.node('or'),
      trees.node('campaign', { ...BEGINS.campaign }),
    ])
    expect([...wanting(tree).values()]).toEqual([['tags'], ['count'], ['of']])
  })

  it('finds the condition and the field that the hub speaks of, through negations', () => {
    const tree = fromJson(WHOLE)
    const faults = [
      { field: 'definition.of[4].count', message: 'a' },
      { field: 'definition.of[5].first.action', message: 'b' },
      { field: 'definition.of[7].of[1].of.of[0].label', message: 'c' },
      { field: 'definition.of[8].of.places[0]', message: 'd' },
      { field: 'definition', message: 'e' },
      { field: 'body.definition.of[7].of', message: 'f' },
    ]
    const found = faultsById(tree, faults)
    const told = (node: trees.Node) => found.get(node.id)?.map((one) => `${one.field}:${one.message}`)
    expect(told(child(tree, 4))).toEqual(['count:a'])
    expect(told(child(tree, 5))).toEqual(['first.action:b'])
    expect(told(child(tree, 7, 1, 0))).toEqual(['label:c'])
    expect(told(child(tree, 8))).toEqual(['places:d'])
    expect(told(tree)).toEqual([':e'])
    expect(told(child(tree, 7))).toEqual(['of:f'])
  })
})

describe('fields of a condition', () => {
  it('are numbers as people write them', () => {
    expect(['12', '12,5', '1.234,5', '12.5', '-3'].map(numberOf)).toEqual([12, 12.5, 1234.5, 12.5, -3])
    expect(['', 'abc', '1e9', 'Infinity', '1,2,3'].map(numberOf)).toEqual([null, null, null, null, null])
    const tree = trees.node('inactivity', { days: 'doze', never: true })
    expect(toJson(tree)).toEqual({ type: 'inactivity', days: 'doze', never: true })
  })

  it('lose what no longer fits when the field changes', () => {
    const texts = trees.node('attribute', { field: 'plan_kind', op: 'in', value: ['fiber'] })
    const other = withValue(CATALOGUE, texts, 'field', 'status')
    expect(other.values).toEqual({ field: 'status', op: 'in', value: [] })
    const number = withValue(CATALOGUE, texts, 'field', 'tenure_days')
    expect(number.values).toEqual({ field: 'tenure_days', op: 'ge', value: '' })
    const typed = withValue(CATALOGUE, number, 'value', '30')
    expect(withValue(CATALOGUE, typed, 'field', 'monthly_micros').values.value).toBe('30')
    const act = trees.node('behaviour', { ...BEGINS.behaviour, detail: ['text'] })
    expect(withValue(CATALOGUE, act, 'action', 'payment').values.detail).toEqual([])
    const place = trees.node('geography', { level: 'city', places: ['Natal'] })
    expect(withValue(CATALOGUE, place, 'level', 'state_code').values.places).toEqual([])
  })

  it('follow the kind of the attribute, and have a detail only where the action has one', () => {
    const named = (node: trees.Node) => fieldsOf(CATALOGUE, node).map((one) => `${one.name}:${one.as}`)
    expect(named(trees.node('attribute', { field: 'status' }))).toContain('value:texts')
    expect(named(trees.node('attribute', { field: 'tenure_days' }))).toContain('value:number')
    expect(named(trees.node('behaviour', { action: 'payment' }))).not.toContain('detail:texts')
    expect(named(trees.node('behaviour', { action: 'message' }))).toContain('detail:texts')
    for (const kind of trees.LEAVES)
      expect(Object.keys(BEGINS[kind]).every((name) => FIELDS[kind].some((f) => f.name === name))).toBe(true)
  })
})

describe('the calendar', () => {
  const entry = (fields: Partial<Entry>): Entry => ({
    campaign_id: ID,
    name: 'Fibra',
    kind: 'once',
    lane: 'marketing',
    state: 'running',
    begins_at: '2026-11-10T02:00:00Z',
    ends_at: null,
    planned: false,
    members: 2,
    ...fields,
  })

  it('shows whole weeks from Monday on', () => {
    const november = daysOf('month', '2026-11-26')
    expect([november[0], november.at(-1), november.length]).toEqual(['2026-10-26', '2026-12-06', 42])
    expect(daysOf('month', '2027-02-10')).toHaveLength(28)
    expect(daysOf('week', '2026-11-29')[0]).toBe('2026-11-23')
    expect(plus('2026-12-31', 1)).toBe('2027-01-01')
    expect(turned('month', '2026-01-31', 1)).toBe('2026-02-01')
    expect(turned('month', '2026-01-31', -1)).toBe('2025-12-01')
    expect(turned('week', '2026-01-01', -1)).toBe('2025-12-25')
  })

  it('lays campaigns on the days of the operator, one that goes on up to today, a plan on its day alone', () => {
    const days = daysOf('month', '2026-11-26')
    const on = (one: Entry) =>
      [...byDay([one], days, '2026-11-12')].filter(([, found]) => found.length).map(([day]) => day)
    expect(on(entry({}))).toEqual(['2026-11-09', '2026-11-10', '2026-11-11', '2026-11-12'])
    expect(on(entry({ ends_at: '2026-11-10T12:00:00Z' }))).toEqual(['2026-11-09', '2026-11-10'])
    expect(on(entry({ planned: true }))).toEqual(['2026-11-09'])
    expect(on(entry({ begins_at: '2026-11-20T12:00:00Z' }))).toEqual(['2026-11-20'])
  })

  it('reads the hours of a day', () => {
    const hours = '1-5 09:00-20:00, 6 09:00-14:00'
    expect(hoursOn(hours, '2026-11-26')).toBe('09:00-20:00')
    expect(hoursOn(hours, '2026-11-28')).toBe('09:00-14:00')
    expect(hoursOn(hours, '2026-11-29')).toBeNull()
  })
})

describe('a phone', () => {
  it('gets its country where people leave it out, and is left to the hub otherwise', () => {
    const typed = ['11 91234-5678', '(021) 3456-7890', '+351 912 345 678', '5511912345678', '1234', '']
    const meant = ['+5511912345678', '+552134567890', '+351 912 345 678', '5511912345678', '1234', '']
    expect(typed.map(international)).toEqual(meant)
  })
})
