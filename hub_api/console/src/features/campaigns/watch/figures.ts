/** The figures of a campaign's funnel as shares and rows. Pure. */
import type { components } from '../../../api/schema'

export type Figures = components['schemas']['hub_api__campaigns__results__schemas__Figures']
export type Results = components['schemas']['Results']
export type Monitored = components['schemas']['Monitor']

export const FUNNEL = ['sent', 'delivered', 'read', 'replied', 'converted'] as const
export type FunnelStep = (typeof FUNNEL)[number]

export const BY = ['variant', 'segment', 'number'] as const
export type By = (typeof BY)[number]

/** A row of the funnel: the whole (null), or one of its parts. */
export interface FunnelRow {
  key: string | null
  /** Of a segment its name; null where it has none any more. */
  name?: string | null
  figures: Figures
}

/** The whole first, then each part; one variant alone is the whole. */
export function rowsOf(results: Results, by: By): FunnelRow[] {
  const parts = {
    variant: () =>
      results.by_variant
        .filter((one) => one.variant !== '')
        .map(({ variant, ...figures }) => ({ key: variant, figures })),
    segment: () => results.by_segment.map(({ segment_id, name, ...figures }) => ({ key: segment_id, name, figures })),
    number: () => results.by_number.map(({ number_id, ...figures }) => ({ key: number_id, figures })),
  }[by]()
  return [{ key: null, figures: results.total }, ...(by !== 'variant' || parts.length > 1 ? parts : [])]
}

/** Of those who were written to, who came so far: 0 to 1, null where nobody was. */
export function shareOf(figures: Figures, step: keyof Figures): number | null {
  const count = figures[step]
  return figures.sent > 0 && typeof count === 'number' ? count / figures.sent : null
}

/** Sums up to each hour, oldest first. */
export function cumulative(series: Results['series']): { hour: string; counts: Record<FunnelStep, number> }[] {
  const sums: Record<FunnelStep, number> = { sent: 0, delivered: 0, read: 0, replied: 0, converted: 0 }
  return [...series]
    .sort((a, b) => a.hour.localeCompare(b.hour))
    .map((one) => {
      for (const step of FUNNEL) sums[step] += one[step]
      return { hour: one.hour, counts: { ...sums } }
    })
}

/** How far the run has come: while it freezes nobody knows, after that turns of those who may get it. */
export function progressOf({ run }: Monitored): number | null {
  if (!run || run.state === 'freezing') return null
  if (!run.eligible) return 1
  return Math.min(1, run.turns / run.eligible)
}
