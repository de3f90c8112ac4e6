/** What people type and what the API wants, both ways. */
import type { Value } from './FormDialog'

/** Trimmed words, null for none. */
export function words(value: Value | undefined): string | null {
  return typeof value === 'string' && value.trim() ? value.trim() : null
}

/** `fibra, ingles` as a list; empty places and repetitions are left out. */
export function list(value: Value | undefined): string[] {
  if (Array.isArray(value)) return value
  return [...new Set((words(value) ?? '').split(/[,;\n]/).map((one) => one.trim()))].filter(Boolean)
}

/** `fibra:4, ingles` as skills with their level, 1 to 5; 3 where none is said. */
export function levels(value: Value | undefined): Record<string, number> {
  const pairs = list(value).map((one) => {
    const [name = '', level] = one.split(':')
    return [name.trim().toLowerCase().replace(/\s+/g, '_'), Number(level) || 3] as const
  })
  return Object.fromEntries(pairs.filter(([name]) => name))
}

/** The same the other way. */
export function fromLevels(skills: Record<string, number> | undefined): string {
  return Object.entries(skills ?? {})
    .map(([name, level]) => `${name}:${level}`)
    .join(', ')
}

/** `5,42`, `1.234,50`, `1.234` (a thousand) or `5.42` as a number; NaN for what is none: JSON has it as null, which the API refuses. */
export function decimal(value: Value | undefined): number {
  const text = (words(value) ?? '').replace(/\s|R\$/g, '')
  const isGrouped = text.includes(',') || /^\d{1,3}(\.\d{3})+$/.test(text)
  const plain = isGrouped ? text.replace(/\./g, '').replace(',', '.') : text
  return plain && Number.isFinite(Number(plain)) ? Number(plain) : Number.NaN
}

/** The same as millionths; 0 for what is no amount, which the API refuses. */
export function micros(value: Value | undefined): number {
  return Math.round((decimal(value) || 0) * 1e6)
}

/** The same the other way, as it is read back. */
export function fromMicros(amount: number): string {
  return String(amount / 1e6).replace('.', ',')
}

export function number(value: Value | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
