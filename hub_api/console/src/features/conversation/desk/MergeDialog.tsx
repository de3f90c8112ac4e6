/** Take in another open conversation: one of this customer, or by its protocol one of somebody who is the same person. */
import {
  Alert,
  Button,
  Checkbox,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  FormControlLabel,
  MenuItem,
  Stack,
  TextField,
} from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import type { Conversation } from '../../../api/types'
import { useMay } from '../../../app/session'
import { dateTime } from '../../../shared/format'
import { Failed, Loading } from '../../../shared/States'
import { wordsFor } from '../../../shared/words'
import { useDesk } from './useDesk'

const BY_PROTOCOL = 'protocol'
const MOST = 50

export function MergeDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const { merge } = useDesk(conversation.id)
  const joinsPeople = useMay('customers:write')
  const [chosen, setChosen] = useState<string | null>(null)
  const [protocol, setProtocol] = useState('')
  const [isSame, setIsSame] = useState(false)
  const own = useQuery({
    queryKey: ['customer', conversation.customer_id, 'open'],
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const query = { customer_id: conversation.customer_id, limit: MOST }
      const found = (await data(api.GET('/api/v1/conversations', { params: { query }, signal }))).items
      return found.filter((one) => one.id !== conversation.id && isOpen(one))
    },
  })
  const choice = chosen ?? own.data?.[0]?.id ?? BY_PROTOCOL
  const digits = protocol.trim()
  const named = useQuery({
    queryKey: ['conversation', 'by', digits],
    gcTime: 0,
    retry: false,
    enabled: choice === BY_PROTOCOL && /^\d{16,40}$/.test(digits),
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/conversations/{reference}', { params: { path: { reference: digits } }, signal })),
  })
  const other = choice === BY_PROTOCOL ? named.data : own.data?.find((one) => one.id === choice)
  const isSomebodyElse = other !== undefined && other.customer_id !== conversation.customer_id
  const canMerge = other !== undefined && (!isSomebodyElse || (joinsPeople && isSame))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (other) merge.mutate({ other: other.id, same_person: isSomebodyElse && isSame }, { onSuccess: onClose })
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="merge-title" fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id="merge-title">{d('merge.title')}</DialogTitle>
        <DialogContent>
          {own.isPending ? (
            <Loading />
          ) : own.isError ? (
            <Failed error={own.error} onRetry={() => void own.refetch()} />
          ) : (
            <Stack sx={{ gap: 2, pt: 1 }}>
              {merge.error && <Alert severity="error">{wordsFor(merge.error, t)}</Alert>}
              <TextField
                select
                autoFocus
                label={d('merge.which')}
                value={choice}
                onChange={(event) => setChosen(event.target.value)}
              >
                {own.data.map((one) => (
                  <MenuItem key={one.id} value={one.id}>
                    {d('merge.one', { protocol: one.protocol, at: dateTime(one.opened_at, i18n.language) })}
                  </MenuItem>
                ))}
                <MenuItem value={BY_PROTOCOL}>{d('merge.by_protocol')}</MenuItem>
              </TextField>
              {choice === BY_PROTOCOL && (
                <TextField
                  label={d('merge.protocol')}
                  value={protocol}
                  error={named.isError}
                  helperText={named.isError ? wordsFor(named.error, t) : d('merge.protocol_help')}
                  onChange={(event) => setProtocol(event.target.value)}
                  slotProps={{ htmlInput: { inputMode: 'numeric', maxLength: 40 } }}
                />
              )}
              {other && (
                <DialogContentText>
                  {d('merge.what', {
                    other: other.protocol,
                    customer: other.customer_name ?? t('customer.nameless'),
                    kept: conversation.protocol,
                  })}
                </DialogContentText>
              )}
              {isSomebodyElse && (
                <Alert severity="warning">
                  {joinsPeople
                    ? d('merge.people', {
                        one: conversation.customer_name ?? t('customer.nameless'),
                        other: other.customer_name ?? t('customer.nameless'),
                      })
                    : d('merge.not_allowed')}
                </Alert>
              )}
              {isSomebodyElse && joinsPeople && (
                <FormControlLabel
                  label={d('merge.same')}
                  control={<Checkbox checked={isSame} onChange={(_, on) => setIsSame(on)} />}
                />
              )}
            </Stack>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button type="submit" variant="contained" disabled={!canMerge} loading={merge.isPending}>
            {d('merge.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function isOpen(one: Conversation): boolean {
  return one.state !== 'resolved' && one.state !== 'closed'
}
