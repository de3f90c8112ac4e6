/** Who works here, by id: names instead of ids wherever somebody is told of. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, data } from '../api/client'
import type { Colleague } from '../api/types'
import { useMay } from '../app/session'

const PAGE = 500

async function readAll(signal: AbortSignal): Promise<Colleague[]> {
  const found: Colleague[] = []
  for (let cursor: string | undefined; ; ) {
    const query = { limit: PAGE, cursor }
    const page = await data(api.GET('/api/v1/agents/colleagues', { params: { query }, signal }))
    found.push(...page.items)
    if (!page.next_cursor) return found
    cursor = page.next_cursor
  }
}

/** Everybody by id; empty until it is known. Presence is as old as the reading, a minute at most. */
export function useColleagues(): Map<string, Colleague> {
  const asked = useQuery({
    queryKey: ['colleagues'],
    enabled: useMay('conversations:read'),
    staleTime: 60_000,
    queryFn: ({ signal }) => readAll(signal),
  })
  return useMemo(() => new Map((asked.data ?? []).map((one) => [one.user_id, one])), [asked.data])
}
