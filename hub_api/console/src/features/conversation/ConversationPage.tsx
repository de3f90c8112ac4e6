/** One conversation: its head with what can be done, its messages, the field to write in, the customer beside it. */
import { Box, Drawer, Typography, useMediaQuery } from '@mui/material'
import { type DragEvent, useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay, useMe } from '../../app/session'
import { useShortcuts } from '../../app/shortcuts'
import { live, useConnected } from '../../live/useLive'
import { Failed, Loading } from '../../shared/States'
import { CustomerPanel } from '../customer/CustomerPanel'
import type { ListName } from '../inbox/lists'
import { useConversation } from '../inbox/useConversations'
import { Composer } from './composer/Composer'
import { ScheduledStrip } from './desk/ScheduledStrip'
import { Header } from './Header'
import { Timeline } from './Timeline'
import { lastOfCustomer } from './timeline'
import { useBeside } from './useBeside'
import { useConversationStream, useMessages } from './useMessages'
import { useReadMark } from './useReadMark'

const LOOK_EVERY_MS = 15_000

export default function ConversationPage({ id, list }: { id: string; list: ListName }) {
  const { t } = useTranslation()
  const me = useMe()
  const mayWrite = useMay('conversations:write')
  const others = useConversationStream(id)
  const conversation = useConversation(id)
  const messages = useMessages(id)
  const beside = useMediaQuery('(min-width: 1200px)')
  const [panel, setPanel] = useState<boolean | null>(null) // null: as the width has it
  const shown = panel ?? beside
  useLooking(id)
  useBeside(id)
  const drop = useDrop(mayWrite)
  useShortcuts({ customer: () => setPanel(!shown) })
  const one = conversation.data
  const mine = one?.agent_id === me.id && one.state !== 'closed'
  useReadMark(id, mine && mayWrite ? (lastOfCustomer(messages.data?.pages ?? [])?.id ?? null) : null)

  if (conversation.isPending) return <Loading />
  if (!one)
    return (
      <Box sx={{ flex: 1 }}>
        <Failed error={conversation.error} onRetry={() => void conversation.refetch()} />
      </Box>
    )
  const customer = (
    <CustomerPanel customerId={one.customer_id} conversation={one} list={list} onClose={() => setPanel(false)} />
  )
  return (
    <Box sx={{ flex: 1, minWidth: 0, display: 'flex' }}>
      <Box
        component="section"
        aria-label={t('conversation.title')}
        sx={{ flex: 1, minWidth: 0, display: 'flex', flexDirection: 'column', position: 'relative' }}
        {...drop.handlers}
      >
        {drop.isOver && <DropHere />}
        <Header
          conversation={one}
          list={list}
          others={others.viewing.filter((person) => person.user_id !== me.id)}
          onCustomer={() => setPanel(!shown)}
        />
        {messages.isPending ? (
          <Loading />
        ) : messages.isError && !messages.data ? (
          <Box sx={{ flex: 1 }}>
            <Failed error={messages.error} onRetry={() => void messages.refetch()} />
          </Box>
        ) : (
          <Timeline
            conversationId={id}
            pages={messages.data.pages}
            customerName={one.customer_name}
            onOlder={() => {
              if (messages.hasNextPage && !messages.isFetching) void messages.fetchNextPage()
            }}
          />
        )}
        <ScheduledStrip conversationId={id} />
        <Composer
          conversation={one}
          mayWrite={mayWrite}
          typing={others.typing}
          dropped={drop.files}
          onTaken={drop.taken}
        />
      </Box>
      {beside ? (
        shown && (
          <Box
            component="aside"
            aria-label={t('customer.title')}
            sx={{
              width: 320,
              flexShrink: 0,
              borderLeft: 1,
              borderColor: 'divider',
              bgcolor: 'background.paper',
              overflowY: 'auto',
            }}
          >
            {customer}
          </Box>
        )
      ) : (
        <Drawer
          anchor="right"
          open={shown}
          onClose={() => setPanel(false)}
          slotProps={{
            paper: { sx: { width: 'min(360px, 100vw)' }, 'aria-label': t('customer.title'), role: 'dialog' },
          }}
        >
          {customer}
        </Drawer>
      )}
    </Box>
  )
}

/** Files that are dragged over the conversation, and those that were let go of there. */
function useDrop(may: boolean) {
  const mayAttach = useMay('media:write')
  const [isOver, setIsOver] = useState(false)
  const [files, setFiles] = useState<File[]>([])
  const taken = useCallback(() => setFiles([]), [])
  const has = (event: DragEvent) => may && mayAttach && event.dataTransfer.types.includes('Files')
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!has(event)) return
      event.preventDefault()
      setIsOver(true)
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setIsOver(false)
    },
    onDrop: (event: DragEvent) => {
      setIsOver(false)
      if (!has(event)) return
      event.preventDefault()
      setFiles([...event.dataTransfer.files])
    },
  }
  return { isOver, files, taken, handlers }
}

function DropHere() {
  const { t: d } = useTranslation('desk')
  return (
    <Box
      sx={{
        position: 'absolute',
        inset: 8,
        zIndex: 3,
        display: 'grid',
        placeItems: 'center',
        border: '2px dashed',
        borderColor: 'primary.main',
        borderRadius: 2,
        bgcolor: 'background.paper',
        opacity: 0.92,
        pointerEvents: 'none',
      }}
    >
      <Typography sx={{ fontWeight: 600 }}>{d('attach.drop')}</Typography>
    </Box>
  )
}

/** Tell colleagues that one looks, as long as one does. */
function useLooking(id: string): void {
  const connected = useConnected()
  useEffect(() => {
    if (!connected) return
    const look = () => {
      if (document.visibilityState === 'visible') live.say('viewing', id)
    }
    look()
    const timer = setInterval(look, LOOK_EVERY_MS)
    return () => clearInterval(timer)
  }, [id, connected])
}
