/** What is done to a conversation; each answer is the conversation as it is then. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api, data } from '../../api/client'
import { useMe } from '../../app/session'
import { apply } from '../inbox/useConversations'

export interface Ending {
  how: 'resolve' | 'close'
  disposition: string | null
}

export function useDeeds(id: string) {
  const client = useQueryClient()
  const me = useMe()
  const params = { path: { conversation_id: id } }
  const take = useMutation({
    mutationFn: () =>
      data(
        api.POST('/api/v1/conversations/{conversation_id}/assign', {
          params,
          body: { agent_id: me.id, reason: 'taken' },
        }),
      ),
    onSuccess: (one) => apply(client, one),
  })
  const transfer = useMutation({
    mutationFn: ({ queue, note }: { queue: string; note: string | null }) =>
      data(
        api.POST('/api/v1/conversations/{conversation_id}/transfer', {
          params,
          body: { queue, reason: 'transferred', note },
        }),
      ),
    onSuccess: (one) => apply(client, one),
  })
  const give = useMutation({
    mutationFn: ({ agentId, note }: { agentId: string; note: string | null }) =>
      data(
        api.POST('/api/v1/conversations/{conversation_id}/assign', {
          params,
          body: { agent_id: agentId, reason: 'handed_on', note },
        }),
      ),
    onSuccess: (one) => apply(client, one),
  })
  const end = useMutation({
    mutationFn: ({ how, disposition }: Ending) =>
      how === 'resolve'
        ? data(
            api.POST('/api/v1/conversations/{conversation_id}/resolve', {
              params,
              body: { reason: 'resolved', disposition },
            }),
          )
        : data(
            api.POST('/api/v1/conversations/{conversation_id}/close', {
              params,
              body: { reason: 'closed', disposition },
            }),
          ),
    onSuccess: (one) => apply(client, one),
  })
  return { take, transfer, give, end }
}
