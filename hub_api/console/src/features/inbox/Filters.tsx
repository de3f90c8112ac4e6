import { Box, IconButton, InputAdornment, MenuItem, TextField, Tooltip } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { Search } from 'lucide-react'
import { type FormEvent, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { api, data } from '../../api/client'
import type { ConversationState } from '../../api/types'
import { useMay } from '../../app/session'
import { useShortcuts } from '../../app/shortcuts'
import type { ListName } from './lists'

export const STATES: ConversationState[] = ['bot', 'queued', 'assigned', 'waiting_customer', 'resolved', 'closed']

export interface Chosen {
  words: string
  queue?: string
  state?: ConversationState
}

/** The queues that the caller may see, by name. */
export function useQueues() {
  return useQuery({
    queryKey: ['queues'],
    enabled: useMay('queues:read'),
    staleTime: 60_000,
    queryFn: async () => (await data(api.GET('/api/v1/queues', { params: { query: { limit: 500 } } }))).items,
  })
}

export function Filters({
  list,
  chosen,
  onChange,
}: {
  list: ListName
  chosen: Chosen
  onChange: (next: Chosen) => void
}) {
  const { t } = useTranslation()
  const [, go] = useLocation()
  const queues = useQueues().data ?? []
  const field = useRef<HTMLInputElement>(null)
  useShortcuts({ search: () => field.current?.focus() })

  // A whole protocol number leads to its conversation, wherever it is.
  const protocol = chosen.words.replace(/\D/g, '')
  const isProtocol = protocol.length >= 12 && protocol.length === chosen.words.replace(/[\s.-]/g, '').length
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!isProtocol) {
      // What this list does not have may be elsewhere, or in a message.
      if (chosen.words.trim().length >= 2) go(`/search?q=${encodeURIComponent(chosen.words.trim())}`)
      return
    }
    const asked = api.GET('/api/v1/conversations/{reference}', { params: { path: { reference: protocol } } })
    const { data: found } = await asked
    if (found) go(`/${list}/${found.id}`)
  }
  return (
    <Box component="form" role="search" onSubmit={submit} sx={{ p: 1, display: 'flex', flexWrap: 'wrap', gap: 1 }}>
      <TextField
        fullWidth
        size="small"
        type="search"
        inputRef={field}
        placeholder={t('inbox.search')}
        value={chosen.words}
        onChange={(event) => onChange({ ...chosen, words: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') field.current?.blur()
        }}
        slotProps={{
          htmlInput: { 'aria-label': t('inbox.search') },
          input: {
            startAdornment: (
              <InputAdornment position="start">
                <Search size={18} aria-hidden />
              </InputAdornment>
            ),
            endAdornment: isProtocol && (
              <Tooltip title={t('inbox.open_protocol')}>
                <IconButton type="submit" size="small" aria-label={t('inbox.open_protocol')}>
                  <Search size={16} />
                </IconButton>
              </Tooltip>
            ),
          },
        }}
      />
      {queues.length > 1 && (
        <TextField
          select
          size="small"
          label={t('inbox.queue_filter')}
          value={chosen.queue ?? ''}
          onChange={(event) => onChange({ ...chosen, queue: event.target.value || undefined })}
          sx={{ flex: 1, minWidth: 130 }}
        >
          <MenuItem value="">{t('inbox.any')}</MenuItem>
          {queues.map((queue) => (
            <MenuItem key={queue.key} value={queue.key}>
              {queue.name}
            </MenuItem>
          ))}
        </TextField>
      )}
      {list === 'all' && (
        <TextField
          select
          size="small"
          label={t('inbox.state_filter')}
          value={chosen.state ?? ''}
          onChange={(event) =>
            onChange({ ...chosen, state: (event.target.value || undefined) as ConversationState | undefined })
          }
          sx={{ flex: 1, minWidth: 130 }}
        >
          <MenuItem value="">{t('inbox.any')}</MenuItem>
          {STATES.map((state) => (
            <MenuItem key={state} value={state}>
              {t(`conversation_state.${state}`)}
            </MenuItem>
          ))}
        </TextField>
      )}
    </Box>
  )
}
