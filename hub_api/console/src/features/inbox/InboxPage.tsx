/** The inbox: the lists at the left, the open conversation beside them; on a phone one of the two. */
import { Box } from '@mui/material'
import { MessagesSquare } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Redirect, useLocation } from 'wouter'
import { useShortcuts } from '../../app/shortcuts'
import { Empty, Loading } from '../../shared/States'
import { Lists } from './Lists'
import { isList, type ListName } from './lists'
import { useAlerts } from './useAlerts'
import { useInboxStream } from './useConversations'

const ConversationPage = lazy(() => import('../conversation/ConversationPage'))

export default function InboxPage({ list, id }: { list: string; id: string | null }) {
  if (!isList(list)) return <Redirect to="/mine" replace />
  return <Inbox list={list} id={id} />
}

function Inbox({ list, id }: { list: ListName; id: string | null }) {
  const { t } = useTranslation()
  const [, go] = useLocation()
  useInboxStream()
  useAlerts(id)
  useShortcuts({
    mine: () => go('/mine'),
    queue: () => go('/queue'),
    all: () => go('/all'),
    resolved: () => go('/resolved'),
    back: () => go(`/${list}`),
  })
  return (
    <>
      <Box
        component="nav"
        aria-label={t('inbox.title')}
        sx={{
          display: { xs: id ? 'none' : 'flex', md: 'flex' },
          flexDirection: 'column',
          width: { xs: '100%', md: 360 },
          flexShrink: 0,
          borderRight: { md: 1 },
          borderColor: { md: 'divider' },
          bgcolor: 'background.paper',
        }}
      >
        <Lists list={list} openId={id} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0, display: { xs: id ? 'flex' : 'none', md: 'flex' } }}>
        {id ? (
          <Suspense fallback={<Loading />}>
            <ConversationPage key={id} id={id} list={list} />
          </Suspense>
        ) : (
          <Empty icon={<MessagesSquare size={48} />} title={t('inbox.nothing_open')}>
            {t('inbox.nothing_open_help')}
          </Empty>
        )}
      </Box>
    </>
  )
}
