/** The session's cookies, seen from a script: what opens the door is httpOnly, so only its refresh is our business. */
import { atHub } from './address'

const REFRESHED_AT = 'hub.refreshed_at'

export type Refreshed = 'refreshed' | 'ended' | 'unavailable'

/** What goes into `X-CSRF-Token`; empty when nobody has signed in here. */
export function csrfToken(): string {
  const found = document.cookie.split('; ').find((one) => one.startsWith('hub_csrf='))
  return found ? decodeURIComponent(found.slice('hub_csrf='.length)) : ''
}

let underway: Promise<Refreshed> | null = null

/**
 * The next access token, because a request that left at `askedAt` (ms) was refused.
 *
 * A refresh token is used once and a second use ends the session, so one tab does it and the others see that it was done.
 */
export function refresh(askedAt: number): Promise<Refreshed> {
  underway ??= inOneTab(() => refreshUnlessDone(askedAt)).finally(() => {
    underway = null
  })
  return underway
}

async function inOneTab(deed: () => Promise<Refreshed>): Promise<Refreshed> {
  return navigator.locks ? navigator.locks.request('hub-refresh', deed) : deed() // locks want https or this machine
}

async function refreshUnlessDone(askedAt: number): Promise<Refreshed> {
  if (Number(localStorage.getItem(REFRESHED_AT) ?? 0) > askedAt) return 'refreshed'
  if (!csrfToken()) return 'ended'
  try {
    const answer = await fetch(atHub('/api/v1/auth/refresh'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken() },
      body: '{}',
    })
    if (answer.ok) localStorage.setItem(REFRESHED_AT, String(Date.now()))
    if (answer.ok) return 'refreshed'
    return answer.status === 401 || answer.status === 403 ? 'ended' : 'unavailable'
  } catch {
    return 'unavailable'
  }
}
