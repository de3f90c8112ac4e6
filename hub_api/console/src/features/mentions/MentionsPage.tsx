/** Notes that name one, newest first. */
import { Box, Button, List, ListItem, Link as MuiLink, Typography } from '@mui/material'
import { useInfiniteQuery } from '@tanstack/react-query'
import { AtSign } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { api, data } from '../../api/client'
import { useShortcuts } from '../../app/shortcuts'
import { dateTime } from '../../shared/format'
import { Empty, Failed, Loading } from '../../shared/States'

export default function MentionsPage() {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const [, go] = useLocation()
  useShortcuts({ mine: () => go('/mine'), queue: () => go('/queue') })
  const asked = useInfiniteQuery({
    queryKey: ['mentions'],
    refetchInterval: 60_000,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      data(api.GET('/api/v1/notes/mentions', { params: { query: { limit: 50, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  const notes = asked.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Box sx={{ flex: 1, overflowY: 'auto', p: { xs: 1.5, sm: 3 } }}>
      <Box sx={{ maxWidth: 820, mx: 'auto' }}>
        <Typography component="h2" variant="h5" sx={{ fontWeight: 700, mb: 2 }}>
          {d('mentions.title')}
        </Typography>
        {asked.isPending ? (
          <Loading />
        ) : asked.isError ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : notes.length === 0 ? (
          <Empty icon={<AtSign size={40} />} title={d('mentions.none')}>
            {d('mentions.help')}
          </Empty>
        ) : (
          <List disablePadding>
            {notes.map((one) => (
              <ListItem key={one.id} disableGutters divider>
                <MuiLink
                  component={Link}
                  href={`/all/${one.conversation_id}`}
                  underline="hover"
                  color="inherit"
                  sx={{ flex: 1 }}
                >
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {one.author ?? d('note.program')} · {dateTime(one.created_at, i18n.language)}
                  </Typography>
                  <Typography variant="body2" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                    {one.text}
                  </Typography>
                </MuiLink>
              </ListItem>
            ))}
          </List>
        )}
        {asked.hasNextPage && (
          <Button onClick={() => void asked.fetchNextPage()} loading={asked.isFetchingNextPage}>
            {t('state.more')}
          </Button>
        )}
      </Box>
    </Box>
  )
}
