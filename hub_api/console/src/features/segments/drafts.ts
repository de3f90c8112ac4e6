/**
 * What is typed in the builder outlives a reload: it is kept for this tab until it is saved, thrown away, or its writer leaves.
 * Definitions name no customer but by id, and no message.
 */
import { forgetAtLeave } from '../../app/forget'
import type { Node } from './tree'

export interface Draft {
  name: string
  description: string
  tree: Node
  /** The version that it began from; null for a new segment. */
  version: number | null
}

const PREFIX = 'hub.segment.'

export function keptDraft(key: string): Draft | null {
  try {
    const found = sessionStorage.getItem(PREFIX + key)
    return found ? (JSON.parse(found) as Draft) : null
  } catch {
    return null // no room was given, or another version of this page wrote it
  }
}

export function keepDraft(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify(draft))
  } catch {
    // Without room it lives in memory alone, as everything else here.
  }
}

export function dropDraft(key: string): void {
  sessionStorage.removeItem(PREFIX + key)
}

forgetAtLeave(() => {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key)
})
