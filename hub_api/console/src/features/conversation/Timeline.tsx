/** The messages from the oldest loaded to the newest; only those in sight are drawn, older ones come when one scrolls up. */
import { Box, Chip, Fab } from '@mui/material'
import { ArrowDown, MessageCircle } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import type { Message } from '../../api/types'
import { longDay } from '../../shared/format'
import { Empty, Failed } from '../../shared/States'
import { DraftBubble } from './DraftBubble'
import { NoteBubble } from './desk/NoteBubble'
import { useNotes } from './desk/useNotes'
import { MessageBubble } from './MessageBubble'
import { outbox, useDrafts } from './outbox'
import { type Entry, entriesOf, lastOfCustomer, type MessagePage, wordsAfter } from './timeline'

interface Props {
  conversationId: string
  pages: MessagePage[]
  customerName: string | null
  onOlder: () => void
}

/** Where the first reading's newest entry stands: entries before it count down, so that older pages move nothing. */
const ORIGIN = 1_000_000

export function Timeline({ conversationId, pages, customerName, onOlder }: Props) {
  const { t, i18n } = useTranslation()
  const drafts = useDrafts(conversationId)
  const { notes, error, again } = useNotes(conversationId)
  const entries = useMemo(() => entriesOf(pages, drafts, notes), [pages, drafts, notes])
  const byId = useMemo(() => new Map(pages.flatMap((page) => page.items).map((one) => [one.id, one])), [pages])
  const list = useRef<VirtuosoHandle>(null)
  const [isAtEnd, setIsAtEnd] = useState(true)
  const unseen = useUnseen(pages, isAtEnd)
  const anchor = useRef<string | null>(null)
  anchor.current ??= entries.at(-1)?.key ?? null
  const before = Math.max(
    0,
    entries.findIndex((one) => one.key === anchor.current),
  )

  useEffect(() => {
    for (const draft of drafts) if (draft.messageId && byId.has(draft.messageId)) outbox.forget(draft.key)
  }, [drafts, byId])

  if (entries.length === 0) return <Empty icon={<MessageCircle size={40} />} title={t('conversation.no_messages')} />
  return (
    <>
      {error && <Failed error={error} onRetry={again} />}
      <Box sx={{ flex: 1, minHeight: 0, display: 'flex', flexDirection: 'column', position: 'relative' }}>
        <Virtuoso
          ref={list}
          atBottomStateChange={setIsAtEnd}
          atBottomThreshold={80}
          role="log"
          aria-label={t('conversation.messages')}
          aria-live="off"
          style={{ flex: 1 }}
          data={entries}
          computeItemKey={(_, one) => one.key}
          firstItemIndex={ORIGIN - before}
          initialTopMostItemIndex={{ index: entries.length - 1, align: 'end' }}
          alignToBottom
          followOutput={(atBottom) => (atBottom ? 'auto' : false)}
          startReached={onOlder}
          increaseViewportBy={400}
          itemContent={(_, one) => (
            <Row
              conversationId={conversationId}
              entry={one}
              byId={byId}
              customerName={customerName}
              language={i18n.language}
            />
          )}
        />
        {!isAtEnd && (
          <Fab
            variant={unseen > 0 ? 'extended' : 'circular'}
            size="small"
            color={unseen > 0 ? 'primary' : 'default'}
            aria-label={unseen > 0 ? t('conversation.unseen', { count: unseen }) : t('conversation.newest')}
            onClick={() => list.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'smooth' })}
            sx={{ position: 'absolute', right: 16, bottom: 12, gap: 0.5 }}
          >
            <ArrowDown size={18} aria-hidden />
            {unseen > 0 && t('conversation.unseen', { count: unseen })}
          </Fab>
        )}
      </Box>
      <LastWord pages={pages} />
    </>
  )
}

/** How many messages of the customer came while their place was out of sight. */
function useUnseen(pages: MessagePage[], isAtEnd: boolean): number {
  const newest = lastOfCustomer(pages)?.id ?? null
  const [seen, setSeen] = useState(newest)
  useEffect(() => {
    if (isAtEnd) setSeen(newest)
  }, [isAtEnd, newest])
  return isAtEnd ? 0 : wordsAfter(pages, seen)
}

interface RowProps {
  conversationId: string
  entry: Entry
  byId: Map<string, Message>
  customerName: string | null
  language: string
}

function Row({ conversationId, entry, byId, customerName, language }: RowProps) {
  switch (entry.kind) {
    case 'day':
      return (
        <Box sx={{ textAlign: 'center', py: 1.5 }}>
          <Chip
            size="small"
            label={longDay(entry.at, language)}
            sx={{ bgcolor: 'background.paper', color: 'text.secondary' }}
          />
        </Box>
      )
    case 'note':
      return <NoteBubble note={entry.note} />
    case 'draft':
      return <DraftBubble draft={entry.draft} />
    case 'message': {
      const quoted = entry.message.reply_to ? (byId.get(entry.message.reply_to) ?? null) : null
      return (
        <MessageBubble
          conversationId={conversationId}
          message={entry.message}
          quoted={quoted}
          customerName={customerName}
        />
      )
    }
  }
}

/** Says the customer's newest word to who cannot see it come. */
function LastWord({ pages }: { pages: MessagePage[] }) {
  const { t } = useTranslation()
  const last = lastOfCustomer(pages)
  const first = useRef(last?.id)
  const isNew = last && last.id !== first.current
  return (
    <Box
      role="status"
      sx={{
        position: 'absolute',
        width: 1,
        height: 1,
        overflow: 'hidden',
        clipPath: 'inset(50%)',
        maxWidth: '1px',
        maxHeight: '1px',
      }}
    >
      {isNew ? t('conversation.customer_says', { words: last.content ?? '' }) : ''}
    </Box>
  )
}
