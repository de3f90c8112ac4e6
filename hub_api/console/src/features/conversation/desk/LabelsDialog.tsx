import {
  Alert,
  Autocomplete,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  MenuItem,
  Stack,
  TextField,
} from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../../api/types'
import { wordsFor } from '../../../shared/words'
import { useDesk } from './useDesk'

const PRIORITIES = [1, 2, 3, 4, 5] as const
const LONGEST_TAG = 40
const MOST_TAGS = 30

/** Priority and tags. */
export function LabelsDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const { label } = useDesk(conversation.id)
  const [priority, setPriority] = useState(conversation.priority)
  const [tags, setTags] = useState(conversation.tags)
  const [typed, setTyped] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const all = [...new Set([...tags, typed])].map((tag) => tag.trim().slice(0, LONGEST_TAG)).filter(Boolean)
    label.mutate({ priority, tags: all.slice(0, MOST_TAGS) }, { onSuccess: onClose })
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="labels-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="labels-title">{d('labels.title')}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2, pt: 1 }}>
            {label.error && <Alert severity="error">{wordsFor(label.error, t)}</Alert>}
            <TextField
              select
              label={d('labels.priority')}
              value={priority}
              onChange={(event) => setPriority(Number(event.target.value))}
            >
              {PRIORITIES.map((one) => (
                <MenuItem key={one} value={one}>
                  {one === 1 ? d('labels.normal') : t(`priority.${one}`)}
                </MenuItem>
              ))}
            </TextField>
            <Autocomplete
              multiple
              freeSolo
              disablePortal
              options={[]}
              value={tags}
              onChange={(_, next) => setTags(next as string[])}
              inputValue={typed}
              onInputChange={(_, next) => setTyped(next.slice(0, LONGEST_TAG))}
              renderInput={(params) => (
                <TextField {...params} label={d('labels.tags')} helperText={d('labels.tags_help')} />
              )}
            />
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" loading={label.isPending}>
            {d('labels.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
