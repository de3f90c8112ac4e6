import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControlLabel,
  Stack,
  Switch,
  TextField,
  Typography,
} from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { dateTime, fromField, toField } from '../../../shared/format'
import { wordsFor } from '../../../shared/words'
import { useSchedule } from '../desk/useScheduled'

interface Props {
  conversationId: string
  text: string
  windowOpenUntil: string | null
  onClose: () => void
  onDone: () => void
}

/** Let the text leave later: within the window, unless the customer writes before. */
export function ScheduleDialog({ conversationId, text, windowOpenUntil, onClose, onDone }: Props) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const [at, setAt] = useState(() => toField(new Date(Date.now() + 60 * 60_000)))
  const [stops, setStops] = useState(true)
  const { add } = useSchedule(conversationId)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const send_at = fromField(at)
    add.mutate(
      { text, send_at, unless_customer_writes: stops },
      {
        onSuccess: () => {
          onDone()
          onClose()
        },
      },
    )
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="schedule-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="schedule-title">{d('schedule.title')}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            {add.error && <Alert severity="error">{wordsFor(add.error, t)}</Alert>}
            <Typography variant="body2" sx={{ whiteSpace: 'pre-wrap', maxHeight: 160, overflowY: 'auto' }}>
              {text}
            </Typography>
            <TextField
              type="datetime-local"
              required
              autoFocus
              label={d('schedule.at')}
              value={at}
              onChange={(event) => setAt(event.target.value)}
              helperText={
                windowOpenUntil ? d('schedule.before', { at: dateTime(windowOpenUntil, i18n.language) }) : undefined
              }
              slotProps={{ inputLabel: { shrink: true } }}
            />
            <FormControlLabel
              control={<Switch checked={stops} onChange={(event) => setStops(event.target.checked)} />}
              label={d('schedule.unless')}
            />
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" loading={add.isPending}>
            {d('schedule.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
