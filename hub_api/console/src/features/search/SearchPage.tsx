/** Search in everything that one sees: a protocol, customers by name, phone or CPF, messages by their words. */
import {
  Box,
  Button,
  Divider,
  InputAdornment,
  List,
  ListItem,
  Link as MuiLink,
  TextField,
  Typography,
} from '@mui/material'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Search, SearchX } from 'lucide-react'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useSearch } from 'wouter'
import { api, data } from '../../api/client'
import type { Found } from '../../api/types'
import { useMay, useMe } from '../../app/session'
import { useShortcuts } from '../../app/shortcuts'
import { dateTime } from '../../shared/format'
import { Empty, Failed, Loading } from '../../shared/States'
import { useColleagues } from '../../shared/useColleagues'
import { CustomerTalks } from './CustomerTalks'
import { kindsOf } from './kinds'
import { Narrow, type Narrowed, narrowedOf, searchAddress } from './Narrow'

export default function SearchPage() {
  const { t: d } = useTranslation('desk')
  const asked = new URLSearchParams(useSearch())
  const words = asked.get('q') ?? ''
  const narrowed = narrowedOf(asked)
  const [typed, setTyped] = useState(words)
  const [, go] = useLocation()
  const field = useRef<HTMLInputElement>(null)
  useShortcuts({ search: () => field.current?.focus(), mine: () => go('/mine'), queue: () => go('/queue') })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    go(searchAddress(typed.trim(), narrowed))
  }
  return (
    <Box sx={{ flex: 1, overflowY: 'auto', p: { xs: 1.5, sm: 3 } }}>
      <Box sx={{ maxWidth: 820, mx: 'auto' }}>
        <Typography component="h2" variant="h5" sx={{ fontWeight: 700, mb: 2 }}>
          {d('search.title')}
        </Typography>
        <Box component="form" role="search" onSubmit={submit} sx={{ display: 'flex', gap: 1, mb: 2 }}>
          <TextField
            fullWidth
            autoFocus
            type="search"
            inputRef={field}
            label={d('search.label')}
            placeholder={d('search.placeholder')}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            slotProps={{
              input: {
                startAdornment: (
                  <InputAdornment position="start">
                    <Search size={18} aria-hidden />
                  </InputAdornment>
                ),
              },
            }}
          />
          <Button type="submit" variant="contained">
            {d('search.do')}
          </Button>
        </Box>
        {words.length >= 2 ? (
          <Results
            key={words}
            words={words}
            narrowed={narrowed}
            onNarrow={(next) => go(searchAddress(words, next), { replace: true })}
          />
        ) : (
          <Empty title={d('search.begin')}>{d('search.help')}</Empty>
        )}
      </Box>
    </Box>
  )
}

const BY = ['phone', 'cpf', 'name'] as const

interface Asked {
  words: string
  narrowed: Narrowed
  onNarrow: (next: Narrowed) => void
}

function Results({ words, narrowed, onNarrow }: Asked) {
  const kinds = kindsOf(words)
  const maySeeCustomers = useMay('customers:read')
  return (
    <>
      {kinds.protocol && <Protocol number={kinds.protocol} />}
      {maySeeCustomers &&
        BY.map((by) => {
          const value = kinds[by]
          return value === null ? null : <Customers key={by} by={by} value={value} />
        })}
      <Narrow chosen={narrowed} onChange={onNarrow} />
      <Messages words={words} narrowed={narrowed} />
    </>
  )
}

function Protocol({ number }: { number: string }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['search', 'protocol', number],
    retry: false,
    queryFn: () => data(api.GET('/api/v1/conversations/{reference}', { params: { path: { reference: number } } })),
  })
  if (!asked.data) return null
  return (
    <Part title={d('search.protocol')}>
      <MuiLink component={Link} href={`/all/${asked.data.id}`}>
        {asked.data.protocol} · {asked.data.customer_name ?? t('customer.nameless')}
      </MuiLink>
    </Part>
  )
}

function Customers({ by, value }: { by: (typeof BY)[number]; value: string }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const [open, setOpen] = useState<string | null>(null)
  const asked = useQuery({
    queryKey: ['search', 'customers', by, value],
    retry: false,
    queryFn: async ({ signal }) =>
      (await data(api.GET('/api/v1/customers', { params: { query: { [by]: value, limit: 10 } }, signal }))).items,
  })
  if (!asked.data?.length) return null
  return (
    <Part title={d('search.customers')}>
      <List dense disablePadding>
        {asked.data.map((one) => (
          <ListItem key={one.id} disableGutters sx={{ display: 'block' }}>
            <Button
              size="small"
              aria-expanded={open === one.id}
              onClick={() => setOpen(open === one.id ? null : one.id)}
              sx={{ justifyContent: 'flex-start' }}
            >
              {one.name ?? t('customer.nameless')} · {one.phone ?? t('customer.no_phone')}
            </Button>
            {open === one.id && <CustomerTalks customerId={one.id} />}
          </ListItem>
        ))}
      </List>
    </Part>
  )
}

function Messages({ words, narrowed }: { words: string; narrowed: Narrowed }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const asked = useInfiniteQuery({
    queryKey: ['search', 'messages', words, narrowed],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const { author, days, queue } = narrowed
      const since = days ? new Date(Date.now() - days * 86_400_000).toISOString() : undefined
      const query = {
        q: words,
        limit: 30,
        cursor: pageParam,
        author: author ?? undefined,
        since,
        queue: queue ?? undefined,
      }
      return data(api.GET('/api/v1/messages/search', { params: { query }, signal }))
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  const found = asked.data.pages.flatMap((page) => page.items)
  if (found.length === 0) return <Empty icon={<SearchX size={40} />} title={d('search.nothing')} />
  return (
    <Part title={d('search.messages')}>
      <List disablePadding>
        {found.map((one) => (
          <Hit key={one.id} one={one} />
        ))}
      </List>
      {asked.hasNextPage && (
        <Button onClick={() => void asked.fetchNextPage()} loading={asked.isFetchingNextPage}>
          {t('state.more')}
        </Button>
      )}
    </Part>
  )
}

/** Who wrote what was found, in words: colleagues by name, where one may know it. */
function useWrote() {
  const { t: d } = useTranslation('desk')
  const me = useMe()
  const colleagues = useColleagues()
  return (one: Found) => {
    if (one.author_id === me.id) return d('search.wrote.me')
    const name = one.author_id && colleagues.get(one.author_id)?.name
    return name ? d('search.wrote.named', { name }) : d(`search.wrote.${one.author as 'customer'}`)
  }
}

function Hit({ one }: { one: Found }) {
  const { t, i18n } = useTranslation()
  const wrote = useWrote()
  return (
    <ListItem disableGutters divider>
      <MuiLink component={Link} href={`/all/${one.conversation_id}`} underline="hover" color="inherit" sx={{ flex: 1 }}>
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          <Box component="span" sx={{ fontWeight: 700, color: 'text.primary', overflowWrap: 'anywhere' }}>
            {one.customer_name ?? one.customer_phone ?? t('author.customer')}
          </Box>{' '}
          · {wrote(one)} ·{' '}
          <Box component="span" sx={{ whiteSpace: 'nowrap' }}>
            {dateTime(one.created_at, i18n.language)}
          </Box>
        </Typography>
        <Typography variant="body2" sx={{ overflowWrap: 'anywhere' }}>
          {one.content}
        </Typography>
      </MuiLink>
    </ListItem>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Box component="section" aria-label={title} sx={{ mb: 2 }}>
      <Typography component="h3" variant="subtitle2" sx={{ fontWeight: 700 }}>
        {title}
      </Typography>
      <Divider sx={{ mb: 1 }} />
      {children}
    </Box>
  )
}
