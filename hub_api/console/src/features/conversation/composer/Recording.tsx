import { Box, IconButton, Tooltip, Typography } from '@mui/material'
import { Mic, SendHorizontal, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNow } from '../../../shared/useNow'

/** A voice message under way: how long, send it, throw it away. */
export function Recording({ since, onSend, onCancel }: { since: number; onSend: () => void; onCancel: () => void }) {
  const { t: d } = useTranslation('desk')
  const seconds = Math.max(0, Math.floor((useNow(500) - since) / 1000))
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <Box
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 1.5,
        border: 1,
        borderColor: 'error.main',
        borderRadius: 2,
        px: 1.5,
        py: 0.5,
      }}
    >
      <Box sx={{ color: 'error.main', lineHeight: 0 }}>
        <Mic size={18} aria-hidden />
      </Box>
      <Typography role="status" sx={{ flex: 1 }}>
        {d('composer.recording')} <span aria-hidden>{clock}</span>
      </Typography>
      <Tooltip title={d('composer.record_cancel')}>
        <IconButton onClick={onCancel} aria-label={d('composer.record_cancel')}>
          <Trash2 size={18} />
        </IconButton>
      </Tooltip>
      <Tooltip title={d('composer.record_send')}>
        <IconButton color="primary" onClick={onSend} aria-label={d('composer.record_send')} autoFocus>
          <SendHorizontal size={20} />
        </IconButton>
      </Tooltip>
    </Box>
  )
}
