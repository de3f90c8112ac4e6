import { Alert, Button, Dialog, DialogActions, DialogContent, DialogContentText, DialogTitle } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { wordsFor } from '../../../shared/words'
import { useDesk } from './useDesk'

/** Close as spam, once more asked. */
export function SpamDialog({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const { spam } = useDesk(conversationId)
  return (
    <Dialog open onClose={onClose} aria-labelledby="spam-title" aria-describedby="spam-words" fullWidth maxWidth="xs">
      <DialogTitle id="spam-title">{d('spam.title')}</DialogTitle>
      <DialogContent>
        <DialogContentText id="spam-words">{d('spam.help')}</DialogContentText>
        {spam.error && <Alert severity="error">{wordsFor(spam.error, t)}</Alert>}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} autoFocus>
          {t('dialog.cancel')}
        </Button>
        <Button
          variant="contained"
          color="error"
          loading={spam.isPending}
          onClick={() => spam.mutate(undefined, { onSuccess: onClose })}
        >
          {d('spam.do')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
