/** What is done to a conversation beside answering; the stream, or another reading, brings what it is then. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, data } from '../../../api/client'
import { live } from '../../../live/useLive'
import { apply, conversationKey } from '../../inbox/useConversations'
import { messagesKey } from '../useMessages'
import { notesKey } from './useNotes'

export function useDesk(id: string) {
  const client = useQueryClient()
  const path = { conversation_id: id }
  const onSuccess = () => {
    if (live.connected) return
    void client.invalidateQueries({ queryKey: conversationKey(id) })
    void client.invalidateQueries({ queryKey: messagesKey(id) })
    void client.invalidateQueries({ queryKey: ['conversations'] })
  }
  const snooze = useMutation({
    mutationFn: (until: string | null) =>
      data(api.PUT('/api/v1/conversations/{conversation_id}/snooze', { params: { path }, body: { until } })),
    onSuccess,
  })
  const spam = useMutation({
    mutationFn: () => data(api.POST('/api/v1/conversations/{conversation_id}/spam', { params: { path } })),
    onSuccess,
  })
  const label = useMutation({
    mutationFn: (body: { priority: number; tags: string[] }) =>
      data(api.PATCH('/api/v1/conversations/{conversation_id}/labels', { params: { path }, body })),
    // A change of tags alone is no event that the stream tells of.
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: conversationKey(id) })
      void client.invalidateQueries({ queryKey: ['conversations'] })
    },
  })
  const macro = useMutation({
    mutationFn: (macro_id: string) =>
      data(
        api.POST('/api/v1/conversations/{conversation_id}/macros/{macro_id}', {
          params: { path: { ...path, macro_id }, header: { 'idempotency-key': crypto.randomUUID() } },
        }),
      ),
    onSuccess,
  })
  const merge = useMutation({
    mutationFn: (body: { other: string; same_person: boolean }) =>
      data(api.POST('/api/v1/conversations/{conversation_id}/merge', { params: { path }, body })),
    onSuccess: (one) => {
      apply(client, one)
      for (const key of [conversationKey(id), messagesKey(id), notesKey(id), ['conversations'], ['customer']])
        void client.invalidateQueries({ queryKey: key })
    },
  })
  return { snooze, spam, label, macro, merge }
}

export function useMacros(enabled: boolean) {
  return useQuery({
    queryKey: ['macros'],
    enabled,
    staleTime: 300_000,
    queryFn: async () => (await data(api.GET('/api/v1/macros', { params: { query: { limit: 500 } } }))).items,
  })
}
