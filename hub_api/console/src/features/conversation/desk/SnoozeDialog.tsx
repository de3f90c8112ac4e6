import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../../api/types'
import { dateTime, fromField, toField } from '../../../shared/format'
import { wordsFor } from '../../../shared/words'
import { useDesk } from './useDesk'

const MINUTES = [30, 60, 240, 1440] as const

/** Put off until a time, or until the customer writes. */
export function SnoozeDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const { snooze } = useDesk(conversation.id)
  const [at, setAt] = useState(() => toField(new Date(Date.now() + 2 * 60 * 60_000)))
  const put = (until: string | null) => snooze.mutate(until, { onSuccess: onClose })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    put(fromField(at))
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="snooze-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="snooze-title">{d('snooze.title')}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            {snooze.error && <Alert severity="error">{wordsFor(snooze.error, t)}</Alert>}
            {conversation.snoozed_until && (
              <Alert
                severity="info"
                action={
                  <Button color="inherit" size="small" onClick={() => put(null)}>
                    {d('snooze.wake')}
                  </Button>
                }
              >
                {d('snooze.until', { at: dateTime(conversation.snoozed_until, i18n.language) })}
              </Alert>
            )}
            <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
              {MINUTES.map((minutes) => (
                <Button
                  key={minutes}
                  variant="outlined"
                  size="small"
                  onClick={() => put(new Date(Date.now() + minutes * 60_000).toISOString())}
                >
                  {d(`snooze.in_${minutes}`)}
                </Button>
              ))}
            </Stack>
            <TextField
              type="datetime-local"
              required
              label={d('snooze.at')}
              value={at}
              onChange={(event) => setAt(event.target.value)}
              slotProps={{ inputLabel: { shrink: true } }}
            />
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" loading={snooze.isPending}>
            {d('snooze.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
