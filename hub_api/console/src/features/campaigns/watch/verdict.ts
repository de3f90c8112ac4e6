/** What a test says in plain words, as a key of the locales with what stands in it. Pure. */
import type { components } from '../../../api/schema'

export type Test = components['schemas']['Readout']

export interface Verdict {
  key: 'promoted' | 'conclusive' | 'undecided' | 'too_early' | 'guardrail' | 'mismatch'
  severity: 'success' | 'info' | 'warning' | 'error'
  values: {
    better: string
    worse: string
    difference: string
    low: string
    high: string
    winner: string
    units: string
    events: string
    margin: string
  }
}

const points = (share: number, language: string) =>
  new Intl.NumberFormat(language, { maximumFractionDigits: 1, signDisplay: 'auto' }).format(share * 100)

/** The leading message against the one that comes nearest to it: that comparison decides. */
export function nearest(test: Test): Test['differences'][number] | null {
  return [...test.differences].sort((a, b) => a.difference - b.difference)[0] ?? null
}

export function verdictOf(test: Test, language: string): Verdict {
  const close = nearest(test)
  const values = {
    better: (close?.better ?? test.best).toUpperCase(),
    worse: (close?.worse ?? '').toUpperCase(),
    difference: points(close?.difference ?? 0, language),
    low: points(close?.low ?? 0, language),
    high: points(close?.high ?? 0, language),
    winner: (test.promoted ?? test.best).toUpperCase(),
    units: test.least_units.toLocaleString(language),
    events: test.least_events.toLocaleString(language),
    margin: points(test.margin, language),
  }
  if (test.why === 'mismatch') return { key: 'mismatch', severity: 'error', values }
  if (test.promoted) return { key: 'promoted', severity: 'success', values }
  if (test.why === 'promote') return { key: 'conclusive', severity: 'success', values }
  if (test.why === 'guardrail') return { key: 'guardrail', severity: 'warning', values }
  return { key: test.why, severity: 'info', values }
}

/** Of all who had their turn, how many each arm has and how many it should have. */
export function ratios(test: Test): { variant: string; n: number; expected: number }[] {
  const all = test.arms.reduce((sum, one) => sum + one.n, 0)
  const shares = test.arms.reduce((sum, one) => sum + one.share, 0) || 1
  return test.arms.map((one) => ({ variant: one.variant, n: one.n, expected: Math.round((all * one.share) / shares) }))
}

/** The ends of a band for a chart that stacks: its floor, and how high it is above that. */
export function band(points: { low: number; high: number }[]): { floor: number[]; height: number[] } {
  return { floor: points.map((one) => one.low * 100), height: points.map((one) => (one.high - one.low) * 100) }
}
