/** What can be done with one message: answer it, react to it. Beside the bubble, in sight when one points at it or is there by key. */
import { Alert, Box, IconButton, Menu, MenuItem, Snackbar, Tooltip } from '@mui/material'
import { useMutation } from '@tanstack/react-query'
import { Reply, SmilePlus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Message } from '../../api/types'
import { wordsFor } from '../../shared/words'
import { replying } from './replying'

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const
const REACTABLE_MS = 30 * 24 * 60 * 60_000 // the channel refuses a reaction to what is older

interface Props {
  conversationId: string
  message: Message
  mine: string | null
}

export function MessageActions({ conversationId, message, mine }: Props) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const react = useMutation({
    mutationFn: (emoji: string) => {
      const reaction = { message_id: message.id, emoji: emoji === mine ? '' : emoji }
      const params = { path: { conversation_id: conversationId }, header: { 'idempotency-key': crypto.randomUUID() } }
      const body = { type: 'reaction' as const, reaction }
      return data(api.POST('/api/v1/conversations/{conversation_id}/messages', { params, body }))
    },
  })
  const isReactable =
    message.direction === 'in' &&
    Date.now() - Date.parse(message.created_at) < REACTABLE_MS &&
    message.type !== 'reaction'
  return (
    <Box className="actions" sx={{ display: 'flex', alignItems: 'center' }}>
      <Tooltip title={d('message.answer')}>
        <IconButton size="small" aria-label={d('message.answer')} onClick={() => replying.to(conversationId, message)}>
          <Reply size={16} />
        </IconButton>
      </Tooltip>
      {isReactable && (
        <Tooltip title={d('message.react')}>
          <IconButton
            size="small"
            aria-label={d('message.react')}
            aria-haspopup="menu"
            onClick={(event) => setAnchor(event.currentTarget)}
          >
            <SmilePlus size={16} />
          </IconButton>
        </Tooltip>
      )}
      {anchor && (
        <Menu
          anchorEl={anchor}
          open
          disablePortal={false}
          onClose={() => setAnchor(null)}
          slotProps={{ list: { sx: { display: 'flex', py: 0.5 }, 'aria-label': d('message.react') } }}
        >
          {EMOJI.map((emoji) => (
            <MenuItem
              key={emoji}
              role="menuitemradio"
              aria-checked={emoji === mine}
              selected={emoji === mine}
              onClick={() => {
                setAnchor(null)
                react.mutate(emoji)
              }}
              sx={{ fontSize: 22, px: 1, minHeight: 40 }}
            >
              {emoji}
            </MenuItem>
          ))}
        </Menu>
      )}
      <Snackbar open={react.isError} autoHideDuration={8000} onClose={() => react.reset()}>
        <Alert severity="error" onClose={() => react.reset()}>
          {react.error ? wordsFor(react.error, t) : ''}
        </Alert>
      </Snackbar>
    </Box>
  )
}
