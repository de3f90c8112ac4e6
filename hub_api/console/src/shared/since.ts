/** How long something lasts, by the second while it is short: 0:42, 12:05, 3 h 20 min. */
import { duration } from './format'

export function lasting(sinceIso: string | null, now: number, language: string): string {
  if (!sinceIso) return '–'
  return lastingOf(Math.max(0, now - Date.parse(sinceIso)), language)
}

/** How long something took, in milliseconds: `< 1 s` is no time that a clock shows. */
export function tookOf(ms: number, language: string): string {
  return ms > 0 && ms < 1000 ? '< 1 s' : lastingOf(ms, language)
}

function lastingOf(ms: number, language: string): string {
  if (ms >= 3_600_000) return duration(ms, language)
  const seconds = Math.floor(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
