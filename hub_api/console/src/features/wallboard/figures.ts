/** Figures as a wall shows them. */
import type { Figure } from '../../live/boards'
import { percent } from '../../shared/format'

/** 1 min 40 s, 87 %, 4,6 or 128, by the unit; a dash when there is no case. */
export function shownAs(value: number | null, unit: string, language: string): string {
  if (value === null) return '–'
  if (unit === 'share') return percent(value, language)
  if (unit === 'seconds') return seconds(value)
  const digits = unit === 'count' ? 0 : 1
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)
}

const STEPS_S = [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400]

/** Where an axis of seconds up to `most` has its marks: at whole steps of the clock, six at most. */
export function clockTicks(most: number): number[] {
  const step = STEPS_S.find((one) => most <= 5 * one) ?? 86_400
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step)
}

function seconds(value: number): string {
  const whole = Math.round(value)
  if (whole < 60) return `${whole} s`
  const [unit, part] = whole < 3600 ? [60, 's'] : [3600, 'min']
  const rest = Math.floor((whole % unit) / (unit / 60))
  return [`${Math.floor(whole / unit)} ${unit === 60 ? 'min' : 'h'}`, ...(rest ? [`${rest} ${part}`] : [])].join(' ')
}

/** `+12%` against yesterday up to the same hour; empty without both, or from nothing. Shares and points differ in points. */
export function againstYesterday(one: Figure, language: string): string {
  const { today, yesterday_so_far: before, unit } = one
  if (today === null || before === null) return ''
  const signed = new Intl.NumberFormat(language, { signDisplay: 'exceptZero', maximumFractionDigits: 0 })
  if (unit === 'share') return `${signed.format((today - before) * 100)} p.p.`
  if (unit === 'points') return signed.format(today - before)
  if (before === 0) return ''
  return `${signed.format(((today - before) / before) * 100)}%`
}

/** Whether the target is met; null without a target or a case. */
export function isGood(one: Figure): boolean | null {
  if (one.target === null || one.today === null || one.better === 'none') return null
  return one.better === 'up' ? one.today > one.target : one.today < one.target
}
