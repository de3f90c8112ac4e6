/** A refusal with what is in the way, where no form is open that could say it. */
import { Button, Dialog, DialogActions, DialogContent, DialogTitle } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { Refusal } from './Refusal'

export function Told({ title, error, onClose }: { title: string; error: unknown; onClose: () => void }) {
  const { t } = useTranslation('campaigns')
  return (
    <Dialog open onClose={onClose} aria-labelledby="told-title" fullWidth maxWidth="sm">
      <DialogTitle id="told-title">{title}</DialogTitle>
      <DialogContent>
        <Refusal error={error} />
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} autoFocus>
          {t('close')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
