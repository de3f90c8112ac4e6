import { Autocomplete, Button, Dialog, DialogActions, DialogContent, DialogTitle, TextField } from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'

/** Why one is on a break: the hub wants to know, and colleagues see it. */
export function BreakDialog({ onDone, onClose }: { onDone: (reason: string) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const [reason, setReason] = useState('')
  const usual = t('presence.reasons').split(', ')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (reason.trim()) onDone(reason.trim().slice(0, 100))
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="break-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="break-title">{t('presence.break')}</DialogTitle>
        <DialogContent>
          <Autocomplete
            freeSolo
            openOnFocus
            options={usual}
            inputValue={reason}
            onInputChange={(_, next) => setReason(next)}
            sx={{ pt: 1 }}
            renderInput={(params) => <TextField {...params} autoFocus required label={t('presence.reason')} />}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" disabled={!reason.trim()}>
            {t('presence.begin_break')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
