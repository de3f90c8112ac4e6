import { useEffect } from 'react'
import { api } from '../../api/client'

/**
 * Show the customer that his newest word (`messageId`) was read, once somebody who has the conversation has it before his eyes.
 * Best effort, as the hub has it: what fails is not told.
 */
export function useReadMark(conversationId: string, messageId: string | null): void {
  useEffect(() => {
    if (!messageId) return
    const mark = () => {
      if (document.visibilityState !== 'visible') return
      document.removeEventListener('visibilitychange', mark)
      const params = { path: { conversation_id: conversationId } }
      api
        .POST('/api/v1/conversations/{conversation_id}/read', { params, body: { typing: false } })
        .catch(() => undefined)
    }
    document.addEventListener('visibilitychange', mark)
    mark()
    return () => document.removeEventListener('visibilitychange', mark)
  }, [conversationId, messageId])
}
