/** Which members each kind of condition has, how each is entered, and what may be chosen: by the catalogue that the hub gives. */
import type { components } from '../../api/schema'
import type { Leaf, Node, Value } from './tree'

export type Catalogue = components['schemas']['Catalogue']

export interface FieldOf {
  /** Its name in JSON; `first.action` is the member `action` of `first`. */
  name: string
  /** `texts`: a list, with values that occur; `ids`: a list of customers; `segment`: another segment. */
  as: 'choice' | 'texts' | 'number' | 'whole' | 'flag' | 'text' | 'segment' | 'ids'
  optional?: boolean
  options?: (catalogue: Catalogue, node: Node) => string[]
  /** Whose values the hub is asked for (`of` of GET /segments/values); none: nothing is offered. */
  valuesOf?: (catalogue: Catalogue, node: Node) => string | null
}

const action = (name: string): FieldOf => ({ name, as: 'choice', options: (c) => c.actions.map((one) => one.action) })
const detail = (name: string, of: string): FieldOf => ({
  name,
  as: 'texts',
  optional: true,
  valuesOf: (c, node) => detailOf(c, text(node, of)),
})
const comparison: FieldOf = { name: 'op', as: 'choice', options: (c) => c.comparisons }
const whole = (name: string, optional = false): FieldOf => ({ name, as: 'whole', optional })

export const FIELDS: Record<Leaf, FieldOf[]> = {
  attribute: [
    { name: 'field', as: 'choice', options: (c) => c.attributes.map((one) => one.field) },
    {
      name: 'op',
      as: 'choice',
      options: (c, node) => (isText(c, node) ? ['in', 'not_in'] : c.comparisons),
    },
    { name: 'value', as: 'number' }, // or texts: see fieldsOf
  ],
  known: [
    { name: 'field', as: 'choice', options: (c) => c.attributes.filter((one) => one.nullable).map((one) => one.field) },
    { name: 'known', as: 'flag' },
  ],
  tags: [
    { name: 'test', as: 'choice', options: () => ['any', 'all', 'none'] },
    { name: 'tags', as: 'texts', valuesOf: () => 'tags' },
  ],
  behaviour: [
    action('action'),
    detail('detail', 'action'),
    comparison,
    whole('count'),
    whole('window_days'),
    whole('ago_days', true),
  ],
  sequence: [
    action('first.action'),
    detail('first.detail', 'first.action'),
    action('then.action'),
    detail('then.detail', 'then.action'),
    whole('within_days'),
    whole('window_days'),
  ],
  inactivity: [whole('days'), { name: 'never', as: 'flag' }],
  campaign: [
    { name: 'response', as: 'choice', options: () => ['received', 'read', 'replied', 'not_read', 'not_replied'] },
    whole('window_days'),
    { name: 'template', as: 'texts', optional: true, valuesOf: () => 'campaign_received.template' },
  ],
  sentiment: [
    { name: 'label', as: 'choice', options: (c) => c.sentiments },
    comparison,
    whole('count'),
    whole('window_days'),
  ],
  kpi: [
    { name: 'metric', as: 'choice', options: (c) => c.metrics },
    comparison,
    { name: 'value', as: 'number' },
    whole('window_days'),
  ],
  geography: [
    { name: 'level', as: 'choice', options: (c) => c.places },
    { name: 'places', as: 'texts', valuesOf: (_, node) => text(node, 'level') },
  ],
  consent: [
    { name: 'scope', as: 'choice', options: (c) => c.consents },
    { name: 'state', as: 'choice', options: () => ['granted', 'refused', 'unknown'] },
  ],
  random: [
    { name: 'from_percent', as: 'number' },
    { name: 'to_percent', as: 'number' },
    { name: 'salt', as: 'text' },
  ],
  segment: [{ name: 'segment_id', as: 'segment' }],
  list: [{ name: 'customer_ids', as: 'ids' }],
}

/** What a new condition begins with, so that it can be counted as soon as possible. */
export const BEGINS: Record<Leaf, Record<string, Value>> = {
  attribute: { field: 'contract_status', op: 'in', value: ['active'] },
  known: { field: 'inactive_days', known: true },
  tags: { test: 'any', tags: [] },
  behaviour: { action: 'message', op: 'ge', count: '1', window_days: '30' },
  sequence: {
    'first.action': 'technical_contact',
    'then.action': 'contact',
    within_days: '7',
    window_days: '90',
  },
  inactivity: { days: '30', never: true },
  campaign: { response: 'not_replied', window_days: '30', template: [] },
  sentiment: { label: 'negative', op: 'ge', count: '2', window_days: '30' },
  kpi: { metric: 'satisfaction', op: 'le', value: '3', window_days: '90' },
  geography: { level: 'state_code', places: [] },
  consent: { scope: 'marketing', state: 'granted' },
  random: { salt: 'sorteio', from_percent: '0', to_percent: '10' },
  segment: { segment_id: '' },
  list: { customer_ids: [] },
}

/** The fields of a condition as it stands: texts or a number for an attribute, a detail only where the action has one. */
export function fieldsOf(catalogue: Catalogue, node: Node): FieldOf[] {
  const found = FIELDS[node.kind as Leaf]
  if (node.kind === 'attribute' && isText(catalogue, node)) {
    return found.map((one) =>
      one.name === 'value' ? { name: 'value', as: 'texts', valuesOf: () => text(node, 'field') } : one,
    )
  }
  return found.filter((one) => !one.name.endsWith('detail') || one.valuesOf?.(catalogue, node))
}

/**
 * The condition with another value for one field. What no longer fits goes: an operator of the other kind, values of another
 * field, a detail of another action.
 */
export function withValue(catalogue: Catalogue, node: Node, name: string, value: Value): Node {
  const values = { ...node.values, [name]: value }
  const next = { ...node, values }
  if (node.values[name] === value) return next
  if (node.kind === 'attribute' && name === 'field') {
    const wasText = isText(catalogue, node)
    const now = isText(catalogue, next)
    values.value = now ? [] : wasText ? '' : (values.value ?? '')
    if (now !== wasText) values.op = now ? 'in' : 'ge'
  }
  if (node.kind === 'geography' && name === 'level') values.places = []
  if (name.endsWith('action')) values[name.replace('action', 'detail')] = []
  return next
}

/** The attribute's kind; null for one that the hub does not know. */
export function kindOf(catalogue: Catalogue, field: string): string | null {
  return catalogue.attributes.find((one) => one.field === field)?.kind ?? null
}

function isText(catalogue: Catalogue, node: Node): boolean {
  return kindOf(catalogue, text(node, 'field') ?? '') === 'text'
}

function detailOf(catalogue: Catalogue, name: string | null): string | null {
  const of = catalogue.actions.find((one) => one.action === name)?.detail
  return of ? `${name}.${of}` : null
}

export function text(node: Node, name: string): string | null {
  const value = node.values[name]
  return typeof value === 'string' && value ? value : null
}
