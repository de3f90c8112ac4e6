/** Which message the next one answers, by conversation; it goes with its writer. */
import { useSyncExternalStore } from 'react'
import type { Message } from '../../api/types'
import { forgetAtLeave } from '../../app/forget'

const chosen = new Map<string, Message>()
const watchers = new Set<() => void>()

function tell(): void {
  for (const watcher of watchers) watcher()
}

export const replying = {
  to(conversationId: string, message: Message | null): void {
    if (message) chosen.set(conversationId, message)
    else chosen.delete(conversationId)
    tell()
  },
  watch(watcher: () => void): () => void {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  },
  of: (conversationId: string): Message | null => chosen.get(conversationId) ?? null,
}

forgetAtLeave(() => {
  chosen.clear()
  tell()
})

export function useReplying(conversationId: string): Message | null {
  return useSyncExternalStore(replying.watch, () => replying.of(conversationId))
}
