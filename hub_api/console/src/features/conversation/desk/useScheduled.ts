/** Replies of a conversation that leave later. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, data } from '../../../api/client'
import type { Scheduled } from '../../../api/types'
import { usePoll } from '../../../live/useLive'

export const scheduledKey = (id: string) => ['scheduled', id] as const
const NONE: Scheduled[] = []

/** All of them, newest first, also those that have left or failed. */
export function useScheduled(id: string) {
  const poll = usePoll()
  const asked = useQuery({
    queryKey: scheduledKey(id),
    refetchInterval: poll,
    queryFn: async ({ signal }) => {
      const params = { path: { conversation_id: id } }
      return (await data(api.GET('/api/v1/conversations/{conversation_id}/scheduled-replies', { params, signal })))
        .items
    },
  })
  return { all: asked.data ?? NONE, error: asked.data ? null : asked.error, again: () => void asked.refetch() }
}

export interface NewScheduled {
  text: string
  send_at: string
  unless_customer_writes: boolean
}

export function useSchedule(id: string) {
  const client = useQueryClient()
  const readAgain = () => client.invalidateQueries({ queryKey: scheduledKey(id) })
  const add = useMutation({
    mutationFn: (body: NewScheduled) => {
      const params = { path: { conversation_id: id }, header: { 'idempotency-key': crypto.randomUUID() } }
      return data(api.POST('/api/v1/conversations/{conversation_id}/scheduled-replies', { params, body }))
    },
    onSuccess: readAgain,
  })
  const cancel = useMutation({
    mutationFn: (reply: string) => {
      const params = { path: { conversation_id: id, reply_id: reply } }
      return data(api.DELETE('/api/v1/conversations/{conversation_id}/scheduled-replies/{reply_id}', { params }))
    },
    onSettled: readAgain,
  })
  return { add, cancel }
}
