import { Alert, Box, Button } from '@mui/material'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Hand } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { api, data } from '../../api/client'
import { useShortcuts } from '../../app/shortcuts'
import { wordsFor } from '../../shared/words'
import { apply } from './useConversations'

/** Take who waits longest at the highest priority; of two who press at once each gets another. */
export function TakeNext({ queue }: { queue?: string }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const client = useQueryClient()
  const [, go] = useLocation()
  const next = useMutation({
    mutationFn: () => data(api.POST('/api/v1/conversations/next', { body: { queue: queue ?? null } })),
    onSuccess: ({ conversation }) => {
      if (!conversation) return
      apply(client, conversation)
      go(`/mine/${conversation.id}`)
    },
  })
  useShortcuts({ take_next: () => next.mutate() })
  return (
    <Box sx={{ px: 1, pb: 1 }}>
      <Button
        fullWidth
        variant="contained"
        size="small"
        startIcon={<Hand size={16} />}
        loading={next.isPending}
        onClick={() => next.mutate()}
      >
        {d('inbox.take_next')}
      </Button>
      <Box role="status">
        {next.data && !next.data.conversation && (
          <Alert severity="info" sx={{ mt: 1 }}>
            {d('inbox.nobody_waits')}
          </Alert>
        )}
      </Box>
      {next.error && (
        <Alert severity="error" sx={{ mt: 1 }}>
          {wordsFor(next.error, t)}
        </Alert>
      )}
    </Box>
  )
}
