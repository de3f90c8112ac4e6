import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  MenuItem,
  Stack,
  TextField,
} from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../api/types'
import { wordsFor } from '../../shared/words'
import { useQueues } from '../inbox/Filters'
import { type Ending, useDeeds } from './useDeeds'
import { useOutcomes } from './useOutcomes'

interface Props {
  how: Ending['how']
  conversation: Conversation
  onClose: () => void
}

/** Resolve or close, with the outcome where there are outcomes to choose from. */
export function EndDialog({ how, conversation, onClose }: Props) {
  const { t } = useTranslation()
  const { end } = useDeeds(conversation.id)
  const [outcome, setOutcome] = useState('')
  const outcomes = useOutcomes()
  const open = outcomes.data?.filter((one) => one.active) ?? []
  const queue = useQueues().data?.find((one) => one.key === conversation.queue)
  const isWanted = queue?.disposition_required === true && open.length > 0 && conversation.disposition === null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    end.mutate({ how, disposition: outcome || null }, { onSuccess: onClose })
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="end-title" aria-describedby="end-words" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="end-title">{t(`conversation.${how}`)}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2 }}>
            <DialogContentText id="end-words">{t(`conversation.${how}_help`)}</DialogContentText>
            {end.error && <Alert severity="error">{wordsFor(end.error, t)}</Alert>}
            {open.length > 0 && (
              <TextField
                select
                required={isWanted}
                helperText={isWanted ? t('conversation.outcome_wanted') : undefined}
                label={t('conversation.outcome')}
                value={outcome}
                onChange={(event) => setOutcome(event.target.value)}
              >
                {!isWanted && <MenuItem value="">{t('conversation.no_outcome')}</MenuItem>}
                {open.map((one) => (
                  <MenuItem key={one.key} value={one.key}>
                    {one.name}
                  </MenuItem>
                ))}
              </TextField>
            )}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" autoFocus loading={end.isPending}>
            {t(`conversation.${how}`)}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
