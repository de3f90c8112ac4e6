/** What narrows a search in messages: who wrote, since when, in which queue. Kept in the page's address. */
import { Box, MenuItem, TextField } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { useQueues } from '../inbox/Filters'

const AUTHORS = ['customer', 'agent', 'bot', 'campaign'] as const
const PERIODS = [7, 30, 90, 365] as const

export interface Narrowed {
  author: (typeof AUTHORS)[number] | null
  days: (typeof PERIODS)[number] | null
  queue: string | null
}

/** Of an address; what is no choice of ours is none. */
export function narrowedOf(asked: URLSearchParams): Narrowed {
  return {
    author: AUTHORS.find((one) => one === asked.get('author')) ?? null,
    days: PERIODS.find((one) => String(one) === asked.get('days')) ?? null,
    queue: asked.get('queue') || null,
  }
}

/** The address of a search with its words and what narrows it. */
export function searchAddress(words: string, { author, days, queue }: Narrowed): string {
  const query = new URLSearchParams({ q: words })
  if (author) query.set('author', author)
  if (days) query.set('days', String(days))
  if (queue) query.set('queue', queue)
  return `/search?${query}`
}

export function Narrow({ chosen, onChange }: { chosen: Narrowed; onChange: (next: Narrowed) => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const queues = useQueues().data ?? []
  const choose = (
    label: string,
    value: string,
    any: string,
    options: [string, string][],
    take: (value: string) => void,
  ) => (
    <TextField
      select
      size="small"
      label={label}
      value={value}
      onChange={(event) => take(event.target.value)}
      sx={{ minWidth: 150, flex: { xs: 1, sm: 'none' } }}
      slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
    >
      <MenuItem value="">{any}</MenuItem>
      {options.map(([key, name]) => (
        <MenuItem key={key} value={key}>
          {name}
        </MenuItem>
      ))}
    </TextField>
  )
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, my: 1 }}>
      {choose(
        d('search.author'),
        chosen.author ?? '',
        d('search.anybody'),
        AUTHORS.map((one) => [one, t(`author.${one}`)]),
        (author) => onChange({ ...chosen, author: AUTHORS.find((one) => one === author) ?? null }),
      )}
      {choose(
        d('search.period'),
        String(chosen.days ?? ''),
        d('search.ever'),
        PERIODS.map((days) => [String(days), d('search.days', { days })]),
        (days) => onChange({ ...chosen, days: PERIODS.find((one) => String(one) === days) ?? null }),
      )}
      {queues.length > 0 &&
        choose(
          d('search.queue'),
          queues.some((one) => one.key === chosen.queue) ? (chosen.queue ?? '') : '',
          d('search.every_queue'),
          queues.map((one) => [one.key, one.name]),
          (queue) => onChange({ ...chosen, queue: queue || null }),
        )}
    </Box>
  )
}
