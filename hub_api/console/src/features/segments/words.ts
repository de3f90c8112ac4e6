/** What the hub says of a field, in the reader's language; what has no words here is shown as it came. */
import type { TFunction } from 'i18next'

const PATTERNS = [
  [/^is missing$/, 'missing'],
  [/^must be a list of 1 to (\d+) (texts|ids)$/, 'list'],
  [/^must be a number from (\S+) to (\S+)$/, 'number'],
  [/^must be a whole number from (\S+) to (\S+)$/, 'whole'],
  [/^must be a text of 1 to (\d+) characters$/, 'text'],
  [/^must be a list of at least one condition$/, 'empty'],
  [/^must be more than from_percent$/, 'percent'],
  [/^is longer than window_days$/, 'window'],
  [/^must be an id \(UUID\)$/, 'id'],
  [/part of itself/, 'circle'],
  [/^conditions stand at most (\d+) deep$/, 'depth'],
  [/^a segment has at most (\d+) conditions$/, 'size'],
  [/^there is no segment /, 'gone'],
] as const

export function faultWords(message: string, t: TFunction<'audience'>): string {
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(message)
    if (found) return t(`fault.${key}`, { a: found[1] ?? '', b: found[2] ?? '' })
  }
  return message
}
