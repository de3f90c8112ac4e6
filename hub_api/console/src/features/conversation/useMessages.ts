/** The messages of the open conversation: read from the newest back, kept up to date by its stream. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, data } from '../../api/client'
import type { Message } from '../../api/types'
import type { Frame, Person } from '../../live/frames'
import { Recent } from '../../live/recent'
import { usePoll, useRoom } from '../../live/useLive'
import { conversationKey } from '../inbox/useConversations'
import { laidOver, type MessagePage } from './timeline'

const PAGE = 50
const TYPING_MS = 6000
const recent = new Recent<Message>()

export const messagesKey = (id: string) => ['messages', id] as const

export function useMessages(id: string) {
  const poll = usePoll()
  return useInfiniteQuery({
    queryKey: messagesKey(id),
    refetchInterval: poll,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }): Promise<MessagePage> => {
      const mark = recent.mark()
      const params = { path: { conversation_id: id }, query: { limit: PAGE, cursor: pageParam ?? undefined } }
      const page: MessagePage = await data(
        api.GET('/api/v1/conversations/{conversation_id}/messages', { params, signal }),
      )
      const told = recent.since(id, mark)
      return told.reduce((pages, one) => laidOver(pages, one, pageParam === null), [page])[0] ?? page
    },
    getNextPageParam: (page) => page.next_cursor,
  })
}

export interface Others {
  typing: string | null
  viewing: Person[]
}

/** Listen to the conversation; who else is at it comes back. */
export function useConversationStream(id: string): Others {
  const client = useQueryClient()
  const [typing, setTyping] = useState<{ name: string; timer: ReturnType<typeof setTimeout> } | null>(null)
  const [viewing, setViewing] = useState<Person[]>([])
  useRoom(id, {
    onFrame: (frame: Frame) => {
      if (frame.type === 'message') {
        recent.note(id, frame.data)
        client.setQueryData<InfiniteData<MessagePage>>(
          messagesKey(id),
          (held) => held && { ...held, pages: laidOver(held.pages, frame.data, true) },
        )
      }
      if (frame.type === 'viewing') setViewing(frame.people)
      if (frame.type === 'typing') {
        clearTimeout(typing?.timer)
        setTyping({ name: frame.name, timer: setTimeout(() => setTyping(null), TYPING_MS) })
      }
      if (frame.type === 'gone') void client.invalidateQueries({ queryKey: conversationKey(id) })
    },
    onGap: () => {
      void client.invalidateQueries({ queryKey: messagesKey(id) })
      void client.invalidateQueries({ queryKey: conversationKey(id) })
    },
  })
  return { typing: typing?.name ?? null, viewing }
}
