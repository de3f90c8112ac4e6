/**
 * What was typed and not kept yet, in this tab: a reload or a request that failed loses nothing. It holds ids and words of the plan,
 * no customer's data, and goes when its writer signs out.
 */
import { forgetAtLeave } from '../../app/forget'
import type { Draft } from './plan'

const PREFIX = 'hub.campaign.'

export interface Kept {
  draft: Draft
  /** The campaign's version that was changed; null before the hub has it. */
  version: number | null
  /** The Idempotency-Key of making it: trying again makes no second one. */
  key: string
}

const nameOf = (user: string, id: string) => `${PREFIX}${user}.${id}`

/** What is kept of this campaign (`new`: of one that is being made); null where nothing is, or what is no longer of this form. */
export function readKept(user: string, id: string): Kept | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(nameOf(user, id)) ?? 'null')
    const kept = found as Kept | null
    return kept?.draft && Array.isArray(kept.draft.variants) && typeof kept.key === 'string' ? kept : null
  } catch {
    return null
  }
}

export function keep(user: string, id: string, kept: Kept): void {
  try {
    sessionStorage.setItem(nameOf(user, id), JSON.stringify(kept))
  } catch {
    // No room, or a browser that keeps nothing: what is typed is still on the page.
  }
}

export function drop(user: string, id: string): void {
  sessionStorage.removeItem(nameOf(user, id))
}

forgetAtLeave(() => {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name)
})
