/** Days of a calendar: pure, by the clock of the operator. A day is `2026-11-26`. */
import type { components } from '../../api/schema'
import { dayOf } from '../../shared/format'

export type Calendar = components['schemas']['Calendar']
export type Entry = components['schemas']['CalendarEntry']
export type View = 'month' | 'week'

const DAY_MS = 86_400_000

export function plus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** 1 Monday to 7 Sunday. */
export function weekday(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7
}

/** The days that are shown of `day`: its week from Monday on, or the whole weeks of its month. */
export function daysOf(view: View, day: string): string[] {
  if (view === 'week') return span(plus(day, 1 - weekday(day)), 7)
  const first = `${day.slice(0, 7)}-01`
  const start = plus(first, 1 - weekday(first))
  const next = plus(first, 32).slice(0, 7)
  let weeks = 4
  while (plus(start, weeks * 7) < `${next}-01`) weeks += 1
  return span(start, weeks * 7)
}

function span(first: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => plus(first, number))
}

/** The same place one month or one week on or back: the first of that month, the same weekday. */
export function turned(view: View, day: string, by: 1 | -1): string {
  if (view === 'week') return plus(day, 7 * by)
  const first = `${day.slice(0, 7)}-01`
  return by === 1 ? `${plus(first, 32).slice(0, 7)}-01` : `${plus(first, -1).slice(0, 7)}-01`
}

/** Entries by the days on which they are under way, up to today where they have no end. */
export function byDay(entries: Entry[], days: string[], today: string): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>(days.map((day) => [day, []]))
  for (const one of entries) {
    const first = dayOf(one.begins_at)
    const end = one.ends_at ? dayOf(one.ends_at) : today
    const last = one.planned || end < first ? first : end
    for (const day of days) if (day >= first && day <= last) found.get(day)?.push(one)
  }
  return found
}

/** Hours of a weekday out of `1-5 09:00-20:00, 6 09:00-14:00`; null when it has none. */
export function hoursOn(hours: string, day: string): string | null {
  const wanted = weekday(day)
  for (const part of hours.split(',')) {
    const found = /^([1-7])(?:-([1-7]))? (\d\d:\d\d-\d\d:\d\d)$/.exec(part.trim())
    if (found && wanted >= Number(found[1]) && wanted <= Number(found[2] ?? found[1])) return found[3] ?? null
  }
  return null
}
