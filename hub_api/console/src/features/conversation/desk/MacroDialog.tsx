import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  List,
  ListItemButton,
  ListItemText,
} from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Macro } from '../../../api/types'
import { Empty, Failed, Loading } from '../../../shared/States'
import { wordsFor } from '../../../shared/words'
import { useDesk, useMacros } from './useDesk'

/** Several steps by one press; what each macro does stands below its name. */
export function MacroDialog({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const asked = useMacros(true)
  const { macro } = useDesk(conversationId)
  const steps = ({ steps: one }: Macro) =>
    [
      one.reply && d('macro.reply', { text: one.reply }),
      one.add_tags?.length && d('macro.tags', { tags: one.add_tags.join(', ') }),
      one.priority && d('macro.priority', { priority: one.priority }),
      one.transfer_to && d('macro.transfer', { queue: one.transfer_to }),
      one.snooze_minutes && d('macro.snooze', { minutes: one.snooze_minutes }),
      one.resolve && d('macro.resolve'),
    ]
      .filter(Boolean)
      .join(' · ')
  return (
    <Dialog open onClose={onClose} aria-labelledby="macro-title" fullWidth maxWidth="sm">
      <DialogTitle id="macro-title">{d('macro.title')}</DialogTitle>
      <DialogContent>
        {macro.error && <Alert severity="error">{wordsFor(macro.error, t)}</Alert>}
        {asked.isPending ? (
          <Loading />
        ) : asked.isError ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : asked.data.length === 0 ? (
          <Empty title={d('macro.none')} />
        ) : (
          <List aria-label={d('macro.title')}>
            {asked.data.map((one, index) => (
              <ListItemButton
                key={one.id}
                autoFocus={index === 0}
                disabled={macro.isPending}
                onClick={() => macro.mutate(one.id, { onSuccess: onClose })}
              >
                <ListItemText primary={one.name} secondary={steps(one)} />
              </ListItemButton>
            ))}
          </List>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('dialog.cancel')}</Button>
      </DialogActions>
    </Dialog>
  )
}
