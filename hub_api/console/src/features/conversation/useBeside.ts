/**
 * Notes and replies that leave later have no stream of their own: they are read again when their conversation moves, as are
 * the messages when another conversation was merged into it.
 */
import { useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { useRoom } from '../../live/useLive'
import { notesKey } from './desk/useNotes'
import { scheduledKey } from './desk/useScheduled'
import { messagesKey } from './useMessages'

export function useBeside(id: string): void {
  const client = useQueryClient()
  const parts = useRef<number | null>(null)
  const readAgain = () => {
    void client.invalidateQueries({ queryKey: notesKey(id) })
    void client.invalidateQueries({ queryKey: scheduledKey(id) })
  }
  useRoom('inbox', {
    onFrame: (frame) => {
      if (frame.type !== 'conversation' || frame.data.id !== id) return
      readAgain()
      const merged = frame.data.merged_protocols.length
      if (merged !== (parts.current ?? 0)) void client.invalidateQueries({ queryKey: messagesKey(id) })
      parts.current = merged
    },
    onGap: readAgain,
  })
}
