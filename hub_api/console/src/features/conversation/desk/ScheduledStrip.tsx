import { Alert, Box, Button, IconButton, Tooltip, Typography } from '@mui/material'
import { CalendarClock, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Scheduled } from '../../../api/types'
import { dateTime } from '../../../shared/format'
import { Failed } from '../../../shared/States'
import { useSchedule, useScheduled } from './useScheduled'

const TOLD_FOR_MS = 24 * 60 * 60_000

/** Replies that leave later, and those of the last day that could not, above the field. */
export function ScheduledStrip({ conversationId }: { conversationId: string }) {
  const { t: d } = useTranslation('desk')
  const { all, error, again } = useScheduled(conversationId)
  const waiting = all.filter((one) => one.state === 'waiting')
  const failed = all.filter((one) => one.state === 'failed' && Date.now() - Date.parse(one.send_at) < TOLD_FOR_MS)
  if (error) return <Failed error={error} onRetry={again} />
  if (waiting.length + failed.length === 0) return null
  return (
    <Box
      component="section"
      aria-label={d('schedule.list')}
      sx={{
        px: 1.5,
        py: 0.5,
        borderTop: 1,
        borderColor: 'divider',
        bgcolor: 'background.paper',
        maxHeight: 150,
        overflowY: 'auto',
      }}
    >
      {failed.map((one) => (
        <Alert key={one.id} severity="warning" sx={{ my: 0.5 }}>
          {d('schedule.failed', { text: one.text })} {d(`schedule.${one.failure as 'window_closed'}`)}
        </Alert>
      ))}
      {waiting.map((one) => (
        <Waiting key={one.id} one={one} conversationId={conversationId} />
      ))}
    </Box>
  )
}

function Waiting({ one, conversationId }: { one: Scheduled; conversationId: string }) {
  const { t: d, i18n } = useTranslation('desk')
  const { cancel } = useSchedule(conversationId)
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
      <CalendarClock size={16} aria-hidden />
      <Typography variant="body2" noWrap sx={{ flex: 1 }}>
        <strong>{dateTime(one.send_at, i18n.language)}</strong> {one.text}
      </Typography>
      {cancel.isError ? (
        <Button size="small" color="error" onClick={() => cancel.mutate(one.id)}>
          {d('schedule.cancel_again')}
        </Button>
      ) : (
        <Tooltip title={d('schedule.cancel')}>
          <IconButton
            size="small"
            loading={cancel.isPending}
            onClick={() => cancel.mutate(one.id)}
            aria-label={d('schedule.cancel')}
          >
            <X size={16} />
          </IconButton>
        </Tooltip>
      )}
    </Box>
  )
}
