/** A number of the pool as the API tells of it (hub_api/whatsapp/pool/view.py), and what is made of it. */

export interface PoolNumber {
  id: string
  display_phone_number: string
  verified_name: string | null
  account: string
  state: string
  state_reason: string | null
  paused_until: string | null
  quality: string | null
  throughput_mps: number
  speed: number
  accepted_per_s: number
  messaging_limit: number | null
  quota_used: number | null
  queue: Record<string, { waiting: number; oldest_age_s: number }>
  errors: { code: number; count: number; meaning: string; advice: string | null }[]
}

/** Messages that wait for this number, of all lanes. */
export function waiting(number: PoolNumber): number {
  return Object.values(number.queue).reduce((total, lane) => total + lane.waiting, 0)
}

/** Share of the limit of people that Meta allows in a day; null without a limit. */
export function usage(number: PoolNumber): number | null {
  if (!number.messaging_limit) return null
  return (number.quota_used ?? 0) / number.messaging_limit
}

/** The three most frequent errors. */
export function errorsOf(number: PoolNumber): PoolNumber['errors'] {
  return [...number.errors].sort((a, b) => b.count - a.count).slice(0, 3)
}
