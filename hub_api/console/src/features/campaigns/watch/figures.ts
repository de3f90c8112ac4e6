/** The figures of a campaign's funnel as shares and rows. Pure. */
import type { components } from '../../../api/schema'

export type Figures = components['schemas']['hub_api__campaigns__results__schemas__Figures']
export type Results = components['schemas']['Results']
export type Monitored = components['schemas']['Monitor']

export const FUNNEL = ['sent', 'delivered', 'read', 'replied', 'converted'] as const
export type FunnelStep = (typeof FUNNEL)[number]

/** A row of the funnel: the whole, or a variant. */
export interface FunnelRow {
  name: string | null
  figures: Figures
}

/** The whole first, then each variant; one variant alone is the whole. */
export function rowsOf(results: Results): FunnelRow[] {
  const variants = results.by_variant
    .filter((one) => one.variant !== '')
    .map(({ variant, ...figures }) => ({ name: variant, figures }))
  return [{ name: null, figures: results.total }, ...(variants.length > 1 ? variants : [])]
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
