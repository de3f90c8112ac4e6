/** Conversations as the hub has them: read page by page, kept up to date by the inbox stream. */
import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { api, data } from '../../api/client'
import type { Conversation } from '../../api/types'
import type { Frame } from '../../live/frames'
import { Recent } from '../../live/recent'
import { usePoll, useRoom } from '../../live/useLive'
import { type Filter, lay, type Page, queryOf, withdraw } from './lists'

const PAGE = 50
const CLOCKS_MS = 30_000
const recent = new Recent<Conversation>()

export const listKey = (filter: Filter) => ['conversations', filter] as const
export const conversationKey = (id: string) => ['conversation', id] as const

export function useConversations(filter: Filter, enabled = true) {
  const poll = usePoll()
  return useInfiniteQuery({
    queryKey: listKey(filter),
    enabled,
    // Clocks of promises (SLA) start without a frame: the lists that somebody works off are looked at now and then.
    refetchInterval: poll || (filter.list === 'mine' || filter.list === 'queue' ? CLOCKS_MS : false),
    initialPageParam: null as string | null,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }): Promise<Page> => {
      const mark = recent.mark()
      const query = { ...queryOf(filter), limit: PAGE, cursor: pageParam ?? undefined }
      const page: Page = await data(api.GET('/api/v1/conversations', { params: { query }, signal }))
      const told = recent.since('inbox', mark)
      return told.reduce((pages, one) => lay(pages, filter, one), [page])[0] ?? page
    },
    getNextPageParam: (page) => page.next_cursor,
  })
}

export function useConversation(id: string) {
  const poll = usePoll()
  return useQuery({
    queryKey: conversationKey(id),
    refetchInterval: poll,
    queryFn: async ({ signal }) => {
      const mark = recent.mark()
      const read = await data(
        api.GET('/api/v1/conversations/{reference}', { params: { path: { reference: id } }, signal }),
      )
      const told = recent.since('inbox', mark).filter((one) => one.id === id)
      return told.reduce((before, one) => (one.version >= before.version ? one : before), read)
    },
  })
}

/** A conversation as it is now, from a stream or from the answer to a deed: laid into everything that is loaded. */
export function apply(client: QueryClient, one: Conversation): void {
  recent.note('inbox', one)
  client.setQueryData<Conversation>(conversationKey(one.id), (before) =>
    before && before.version > one.version ? before : one,
  )
  changeLists(client, (pages, filter) => lay(pages, filter, one))
}

/** Listen to the inbox while the page is open. */
export function useInboxStream(): void {
  const client = useQueryClient()
  useRoom('inbox', {
    onFrame: (frame: Frame) => {
      if (frame.type === 'conversation') apply(client, frame.data)
      if (frame.type === 'gone' && 'id' in frame) {
        changeLists(client, (pages) => withdraw(pages, frame.id))
        void client.invalidateQueries({ queryKey: conversationKey(frame.id) })
      }
    },
    onGap: () => {
      void client.invalidateQueries({ queryKey: ['conversations'] })
      void client.invalidateQueries({ queryKey: ['conversation'] })
    },
  })
}

function changeLists(client: QueryClient, change: (pages: Page[], filter: Filter) => Page[]): void {
  for (const [key, held] of client.getQueriesData<InfiniteData<Page>>({ queryKey: ['conversations'] })) {
    const filter = key[1] as Filter
    if (held) client.setQueryData(key, { ...held, pages: change(held.pages, filter) })
  }
}
