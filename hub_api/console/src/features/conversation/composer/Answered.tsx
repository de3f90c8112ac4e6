import { Box, IconButton, Typography } from '@mui/material'
import { X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Message } from '../../../api/types'

/** Which message the next one answers, above the field. */
export function Answered({ message, onEnd }: { message: Message; onEnd: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  return (
    <Box
      sx={{
        display: 'flex',
        alignItems: 'center',
        borderLeft: 3,
        borderColor: 'primary.main',
        pl: 1,
        mb: 0.75,
        gap: 1,
      }}
    >
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography variant="caption" component="div" sx={{ fontWeight: 600 }}>
          {d('composer.answers', { author: t(`author.${message.author}`) })}
        </Typography>
        <Typography variant="body2" noWrap sx={{ color: 'text.secondary' }}>
          {message.content ?? t('message.no_words')}
        </Typography>
      </Box>
      <IconButton size="small" onClick={onEnd} aria-label={d('composer.answer_end')}>
        <X size={16} />
      </IconButton>
    </Box>
  )
}
