/** What became of a message, in the order in which it happened. Pure. */
import type { components } from '../../../api/schema'

type Lineage = components['schemas']['Lineage']

export type LineageEvent =
  | { kind: 'queued' | 'answer'; at: string }
  | { kind: 'status'; at: string; state: string }
  | { kind: 'click'; at: string; name: string; count: number }
  | { kind: 'goal'; at: string; name: string; counts: boolean; value: number; currency: string }

export function eventsOf(
  told: Pick<Lineage, 'queued_at' | 'statuses' | 'answers' | 'clicks' | 'goals'>,
): LineageEvent[] {
  const events: LineageEvent[] = [
    { kind: 'queued', at: told.queued_at },
    ...told.statuses.map((one) => ({ kind: 'status' as const, at: one.at, state: one.to_state })),
    ...told.answers.map((one) => ({ kind: 'answer' as const, at: one.at })),
    ...told.clicks.flatMap((one) =>
      one.first_clicked_at
        ? [{ kind: 'click' as const, at: one.first_clicked_at, name: one.name, count: one.clicks }]
        : [],
    ),
    ...told.goals.map((one) => ({
      kind: 'goal' as const,
      at: one.occurred_at,
      name: one.kind,
      counts: one.reason === 'attributed',
      value: one.value_micros,
      currency: one.value_currency,
    })),
  ]
  // Meta's times have whole seconds and ours have not: a state stands before those that follow from it, whatever the clocks say.
  const order = (one: LineageEvent): [number, number] => {
    const follows = one.kind !== 'status' && one.kind !== 'queued'
    if (follows) return [Date.parse(one.at), STATES.length]
    const step = STATES.indexOf(one.kind === 'status' ? one.state : one.kind)
    const later = told.statuses.filter((other) => step >= 0 && STATES.indexOf(other.to_state) >= step)
    return [Math.min(...[one, ...later].map((other) => Date.parse(other.at))), step]
  }
  return events
    .map((one) => ({ one, order: order(one) }))
    .sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1])
    .map(({ one }) => one)
}

/** One follows from the other. */
const STATES = ['queued', 'claimed', 'accepted', 'sent', 'delivered', 'read', 'played']
