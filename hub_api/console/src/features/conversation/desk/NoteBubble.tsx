import { Box, Stack, Typography } from '@mui/material'
import { StickyNote } from 'lucide-react'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import type { Note } from '../../../api/types'
import { time } from '../../../shared/format'
import { useColleagues } from '../../../shared/useColleagues'

/** A note among the messages: for colleagues only, and it looks so. */
export function NoteBubble({ note }: { note: Note }) {
  const { t: d, i18n } = useTranslation('desk')
  const colleagues = useColleagues()
  const names = note.mentions.flatMap((id) => colleagues.get(id)?.name ?? [])
  return (
    <Box sx={{ px: { xs: 1.5, sm: 3 }, py: 0.5, display: 'flex', justifyContent: 'center' }}>
      <Box
        component="article"
        aria-label={d('note.label')}
        sx={{
          width: 'min(640px, 100%)',
          bgcolor: 'bubble.notice',
          border: '1px dashed',
          borderColor: 'warning.main',
          borderRadius: 2,
          px: 1.5,
          py: 1,
          overflowWrap: 'anywhere',
        }}
      >
        <Stack direction="row" sx={{ gap: 0.75, alignItems: 'center' }}>
          <StickyNote size={14} aria-hidden />
          <Typography variant="caption" sx={{ fontWeight: 700, flex: 1 }}>
            {d('note.by', { name: note.author ?? d('note.program') })}
          </Typography>
          <Typography variant="caption" component="time" dateTime={note.created_at}>
            {time(note.created_at, i18n.language)}
          </Typography>
        </Stack>
        <Box sx={{ whiteSpace: 'pre-wrap' }}>
          <Named text={note.text} names={names} />
        </Box>
      </Box>
    </Box>
  )
}

/** The text with the mentions in it made bold. */
function Named({ text, names }: { text: string; names: string[] }) {
  if (names.length === 0) return text
  const escaped = names.map((name) => `@${name}`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return text.split(new RegExp(`(${escaped.join('|')})`)).map((part, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name and never change places
    <Fragment key={index}>{index % 2 ? <strong>{part}</strong> : part}</Fragment>
  ))
}
