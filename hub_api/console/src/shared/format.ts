/** Times, durations and sizes as people read them: in the page's language, on the clock of the operator. */

export const ZONE = 'America/Sao_Paulo'

const made = new Map<string, Intl.DateTimeFormat>()

function formatter(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  let found = made.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(language, { timeZone: ZONE, ...options })
    made.set(key, found)
  }
  return found
}

/** 14:05 */
export function time(at: string, language: string): string {
  return formatter(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at))
}

/** 26 de nov. de 2026, 14:05 */
export function dateTime(at: string, language: string): string {
  return formatter(language, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }).format(new Date(at))
}

/** The day, for comparing: 2026-11-26. */
export function dayOf(at: string): string {
  return formatter('en-CA', { dateStyle: 'short' }).format(new Date(at))
}

/** quinta-feira, 26 de novembro de 2026 */
export function longDay(at: string, language: string): string {
  return formatter(language, { dateStyle: 'full' }).format(new Date(at))
}

/** The time of today, the date of any other day. */
export function shortly(at: string, language: string, now = new Date()): string {
  if (dayOf(at) === dayOf(now.toISOString())) return time(at, language)
  return formatter(language, { day: '2-digit', month: '2-digit' }).format(new Date(at))
}

/** 3 min, 2 h 5 min, 4 d: how long something takes or has taken, from a minute on. */
export function duration(ms: number, language: string): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  const unit = (value: number, name: 'minute' | 'hour' | 'day') =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value)
  if (minutes < 60) return unit(minutes, 'minute')
  if (minutes < 24 * 60) {
    const rest = minutes % 60
    return [unit(Math.floor(minutes / 60), 'hour'), ...(rest ? [unit(rest, 'minute')] : [])].join(' ')
  }
  return unit(Math.floor(minutes / (24 * 60)), 'day')
}

/** Of an ISO 8601 duration as the API writes it: PT42S, PT1M2.5S, P1DT2H. */
export function millisecondsOf(iso: string): number {
  const [, days, hours, minutes, seconds] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(iso) ?? []
  return (
    1000 * (Number(seconds ?? 0) + 60 * (Number(minutes ?? 0) + 60 * (Number(hours ?? 0) + 24 * Number(days ?? 0))))
  )
}

/** 48 kB */
export function size(bytes: number, language: string): string {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte']
  const digits = value < 10 ? 1 : 0
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: digits }).format(value)
}

/** R$ 79,90 from millionths, or from an amount with its offset. */
export function money(value: number, currency: string, language: string): string {
  return new Intl.NumberFormat(language, { style: 'currency', currency }).format(value)
}

/** The first letters of the first and the last name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const [first, last] = [words[0] ?? '', words.length > 1 ? (words.at(-1) ?? '') : '']
  return ([...first].slice(0, 1).join('') + [...last].slice(0, 1).join('')).toUpperCase()
}

/** A time as a field of date and time shows it, on the clock of the operator: 2026-11-26T14:05. */
export function toField(at: Date): string {
  const parts = formatter('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}

/** The moment that such a field means. */
export function fromField(value: string): string {
  const asUtc = Date.parse(`${value}Z`)
  const away = Date.parse(`${toField(new Date(asUtc))}Z`) - asUtc // how far the operator's clock is from UTC
  return new Date(asUtc - away).toISOString()
}

/** 12 de nov. de 2026, of a day without a time. */
export function date(day: string, language: string): string {
  return new Intl.DateTimeFormat(language, { timeZone: 'UTC', dateStyle: 'medium' }).format(
    new Date(`${day}T00:00:00Z`),
  )
}

/** 62% */
export function percent(share: number, language: string): string {
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share)
}

/** seg.–sex. 08:00–20:00, sáb. 08:00–14:00 from `1-5 08:00-20:00, 6 08:00-14:00`; what is written otherwise stays as it is. */
export function openingHours(text: string, language: string): string {
  const day = (number: string) =>
    new Intl.DateTimeFormat(language, { timeZone: 'UTC', weekday: 'short' }).format(Date.UTC(2024, 0, Number(number))) // a Monday
  return text
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^([1-7])(?:-([1-7]))? (\d\d:\d\d)-(\d\d:\d\d)$/, (_, first, last, from, to) =>
          [last ? `${day(first)}–${day(last)}` : day(first), `${from}–${to}`].join(' '),
        ),
    )
    .join(', ')
}

/** +55 11 3000-1000 of a Brazilian number in digits; others as they are. */
export function phoneNumber(digits: string): string {
  return digits.replace(/^\+?55(\d{2})(\d{4,5})(\d{4})$/, '+55 $1 $2-$3')
}

/** português (Brasil) of `pt_BR`; what is no language stays as it is. */
export function languageName(tag: string, language: string): string {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(tag.replace('_', '-')) ?? tag
  } catch {
    return tag
  }
}
