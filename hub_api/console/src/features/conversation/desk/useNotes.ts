/** Notes of a conversation: newest first as the hub gives them, read again when the conversation moves. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, data } from '../../../api/client'
import type { Note } from '../../../api/types'
import { usePoll } from '../../../live/useLive'

export const notesKey = (id: string) => ['notes', id] as const
const NONE: Note[] = []

export function useNotes(id: string) {
  const poll = usePoll()
  const asked = useQuery({
    queryKey: notesKey(id),
    refetchInterval: poll,
    queryFn: async ({ signal }) => {
      const params = { path: { conversation_id: id }, query: { limit: 200 } }
      return (await data(api.GET('/api/v1/conversations/{conversation_id}/notes', { params, signal }))).items
    },
  })
  return { notes: asked.data ?? NONE, error: asked.data ? null : asked.error, again: () => void asked.refetch() }
}

export function useAddNote(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ text, mentions }: { text: string; mentions: string[] }) => {
      const params = { path: { conversation_id: id }, header: { 'idempotency-key': crypto.randomUUID() } }
      return data(api.POST('/api/v1/conversations/{conversation_id}/notes', { params, body: { text, mentions } }))
    },
    onSuccess: (note) =>
      client.setQueryData<Note[]>(notesKey(id), (held) => [note, ...(held ?? []).filter((one) => one.id !== note.id)]),
  })
}
