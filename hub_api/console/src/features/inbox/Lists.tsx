/** One list of conversations with its filters; the list itself draws only the rows in sight. */
import { Box, Tab, Tabs } from '@mui/material'
import { Inbox } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import { useLocation } from 'wouter'
import type { Conversation } from '../../api/types'
import { useMay, useMe } from '../../app/session'
import { useShortcuts } from '../../app/shortcuts'
import { Empty, Failed, Loading } from '../../shared/States'
import { useColleagues } from '../../shared/useColleagues'
import { useNow } from '../../shared/useNow'
import { ConversationRow } from './ConversationRow'
import { type Chosen, Filters } from './Filters'
import { LISTS, type ListName } from './lists'
import { TakeNext } from './TakeNext'
import { useConversations } from './useConversations'

export function Lists({ list, openId }: { list: ListName; openId: string | null }) {
  const { t } = useTranslation()
  const me = useMe()
  const [, go] = useLocation()
  const [chosen, setChosen] = useState<Chosen>({ words: '' })
  const filter = { list, me: me.id, queue: chosen.queue, state: list === 'all' ? chosen.state : undefined }
  const asked = useConversations(filter)
  const counts = useCounts(me.id)
  const rows = matching(asked.data?.pages.flatMap((page) => page.items) ?? [], chosen.words)
  const scroller = useRef<VirtuosoHandle>(null)
  const now = useNow(30_000)
  const colleagues = useColleagues()
  const mayTake = useMay('conversations:write')

  const step = (by: 1 | -1) => {
    const at = rows.findIndex((one) => one.id === openId)
    const index = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))
    const one = rows[index]
    if (!one) return
    go(`/${list}/${one.id}`)
    scroller.current?.scrollIntoView({ index })
  }
  useShortcuts({ next: () => step(1), previous: () => step(-1) })

  return (
    <>
      <Tabs
        value={list}
        onChange={(_, name: ListName) => go(`/${name}`)}
        variant="fullWidth"
        aria-label={t('inbox.lists')}
        sx={{ borderBottom: 1, borderColor: 'divider', minHeight: 44, '& .MuiTab-root': { flex: '1 1 auto' } }}
      >
        {LISTS.map((name) => (
          <Tab
            key={name}
            value={name}
            id={`tab-${name}`}
            aria-controls="conversations"
            label={labelled(t(`inbox.${name}`), counts[name])}
          />
        ))}
      </Tabs>
      <Filters list={list} chosen={chosen} onChange={setChosen} />
      {list === 'queue' && mayTake && <TakeNext queue={chosen.queue} />}
      <Box
        id="conversations"
        role="tabpanel"
        aria-labelledby={`tab-${list}`}
        sx={{ flex: 1, minHeight: 0, display: 'flex', flexDirection: 'column' }}
      >
        {asked.isPending ? (
          <Loading />
        ) : asked.isError && !asked.data ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : rows.length === 0 ? (
          <Empty icon={<Inbox size={40} />} title={t(chosen.words ? 'inbox.no_match' : `inbox.empty_${list}`)} />
        ) : (
          <Virtuoso
            ref={scroller}
            data={rows}
            style={{ flex: 1 }}
            tabIndex={-1}
            computeItemKey={(_, one) => one.id}
            components={LIST_ROLES}
            endReached={() => {
              if (asked.hasNextPage && !asked.isFetching) void asked.fetchNextPage()
            }}
            itemContent={(_, one) => (
              <ConversationRow
                conversation={one}
                list={list}
                isOpen={one.id === openId}
                isMine={one.agent_id === me.id}
                holder={colleagues.get(one.agent_id ?? '')?.name ?? null}
                now={now}
              />
            )}
          />
        )}
      </Box>
    </>
  )
}

/** How many lie in the lists that somebody has to work on; a plus where more pages follow. */
function useCounts(me: string): Partial<Record<ListName, string>> {
  const mine = useConversations({ list: 'mine', me })
  const queue = useConversations({ list: 'queue', me })
  const told = (asked: typeof mine) => {
    const count = asked.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0
    return count === 0 ? undefined : asked.hasNextPage ? `${count}+` : String(count)
  }
  return { mine: told(mine), queue: told(queue) }
}

function labelled(name: string, count: string | undefined): string {
  return count ? `${name} (${count})` : name
}

/** Those whose name or protocol has the words, of the rows that are loaded. */
export function matching(rows: Conversation[], words: string): Conversation[] {
  const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const wanted = plain(words.trim())
  if (!wanted) return rows
  return rows.filter((one) => plain(one.customer_name ?? '').includes(wanted) || one.protocol.includes(wanted))
}

const LIST_ROLES = {
  // biome-ignore lint/a11y/useSemanticElements: the library's rows are divs that it measures
  List: ({ ref, ...rest }: React.ComponentProps<'div'>) => <div role="list" {...rest} ref={ref} />,
  Item: ({ item: _, ...rest }: React.ComponentProps<'div'> & { item: unknown }) => (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div role="listitem" {...rest} />
  ),
}
