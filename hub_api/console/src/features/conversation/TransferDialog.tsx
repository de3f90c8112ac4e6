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
  ToggleButton,
  ToggleButtonGroup,
} from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Colleague, Conversation } from '../../api/types'
import { useMe } from '../../app/session'
import { Failed, Loading } from '../../shared/States'
import { useColleagues } from '../../shared/useColleagues'
import { wordsFor } from '../../shared/words'
import { useQueues } from '../inbox/Filters'
import { useDeeds } from './useDeeds'

const PRESENT_FIRST = { online: 0, away: 1, break: 2, offline: 3 } as const

/** Hand the conversation to a queue, where it keeps its place in line, or to a colleague; with a note if one likes. */
export function TransferDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const me = useMe()
  const queues = useQueues()
  const colleagues = [...useColleagues().values()]
    .filter((one) => one.user_id !== me.id && one.user_id !== conversation.agent_id)
    .sort((a, b) => PRESENT_FIRST[a.presence] - PRESENT_FIRST[b.presence] || a.name.localeCompare(b.name))
  const open = queues.data?.filter((one) => one.active) ?? []
  const { transfer, give } = useDeeds(conversation.id)
  const [where, setWhere] = useState<'queue' | 'agent'>('queue')
  const [chosen, setChosen] = useState<string | null>(null)
  const [agent, setAgent] = useState<Colleague | null>(null)
  const [note, setNote] = useState('')
  const queue = chosen ?? open.find((one) => one.key !== conversation.queue)?.key ?? open[0]?.key ?? ''
  const error = transfer.error ?? give.error
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const words = note.trim() || null
    if (where === 'queue') transfer.mutate({ queue, note: words }, { onSuccess: onClose })
    else if (agent) give.mutate({ agentId: agent.user_id, note: words }, { onSuccess: onClose })
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="transfer-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="transfer-title">{t('conversation.transfer')}</DialogTitle>
        <DialogContent>
          {queues.isPending ? (
            <Loading />
          ) : queues.isError ? (
            <Failed error={queues.error} onRetry={() => void queues.refetch()} />
          ) : (
            <Stack sx={{ gap: 2, pt: 1 }}>
              {error && <Alert severity="error">{wordsFor(error, t)}</Alert>}
              <ToggleButtonGroup
                exclusive
                fullWidth
                size="small"
                color="primary"
                value={where}
                onChange={(_, next: 'queue' | 'agent' | null) => next && setWhere(next)}
                aria-label={d('transfer.where')}
              >
                <ToggleButton value="queue">{d('transfer.queue')}</ToggleButton>
                <ToggleButton value="agent">{d('transfer.agent')}</ToggleButton>
              </ToggleButtonGroup>
              {where === 'queue' ? (
                <TextField
                  select
                  autoFocus
                  label={t('conversation.to_queue')}
                  value={queue}
                  onChange={(event) => setChosen(event.target.value)}
                >
                  {open.map((one) => (
                    <MenuItem key={one.key} value={one.key}>
                      {t('conversation.queue_with', {
                        name: one.name,
                        waiting: one.waiting,
                        online: one.agents_online,
                      })}
                    </MenuItem>
                  ))}
                </TextField>
              ) : (
                <Autocomplete
                  disablePortal
                  options={colleagues}
                  value={agent}
                  onChange={(_, next) => setAgent(next)}
                  getOptionLabel={(one) => one.name}
                  getOptionKey={(one) => one.user_id}
                  isOptionEqualToValue={(one, other) => one.user_id === other.user_id}
                  renderOption={({ key, ...props }, one) => (
                    <li key={key} {...props}>
                      {one.name} · {t(`presence.${one.presence}`)}
                    </li>
                  )}
                  noOptionsText={d('transfer.nobody')}
                  renderInput={(params) => <TextField {...params} autoFocus required label={d('transfer.to_agent')} />}
                />
              )}
              <TextField
                multiline
                minRows={2}
                maxRows={6}
                label={d('transfer.note')}
                helperText={d('transfer.note_help')}
                value={note}
                onChange={(event) => setNote(event.target.value)}
                slotProps={{ htmlInput: { maxLength: 4000 } }}
              />
            </Stack>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button
            type="submit"
            variant="contained"
            disabled={where === 'queue' ? !queue : !agent}
            loading={transfer.isPending || give.isPending}
          >
            {t('conversation.transfer')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
