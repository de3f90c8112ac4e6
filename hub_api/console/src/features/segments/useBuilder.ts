/** The state of the builder: what is typed, kept over a reload; what it would find, counted while it is edited; saving. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { api, data } from '../../api/client'
import { problemOf } from '../../api/problem'
import { type Draft, dropDraft, keepDraft, keptDraft } from './drafts'
import { faultsById, fromJson, toJson, wanting } from './json'
import { type Node, node } from './tree'
import type { Segment } from './useSegments'

const PAUSE_MS = 450

function begun(segment: Segment | null): Draft {
  if (!segment) return { name: '', description: '', tree: node('and'), version: null }
  const { name, description, definition, version } = segment
  return { name, description, tree: fromJson(definition), version }
}

/** `segment`: the one that is changed, null for a new one; `copy`: what a new one begins with. */
export function useBuilder(segment: Segment | null, copy: Segment | null) {
  const client = useQueryClient()
  const key = segment?.id ?? 'new'
  const [original] = useState(() => begun(segment))
  const [draft, setDraft] = useState<Draft>(() => {
    if (copy) return { ...begun(copy), name: '', version: null }
    return keptDraft(key) ?? original
  })
  const definition = useMemo(() => toJson(draft.tree), [draft.tree])
  const untouched = useMemo(() => JSON.stringify(toJson(original.tree)), [original])
  const written = JSON.stringify(definition)
  const changed = written !== untouched || draft.name !== original.name || draft.description !== original.description

  useEffect(() => {
    if (changed) keepDraft(key, draft)
    else dropDraft(key)
  }, [key, draft, changed])

  const missing = useMemo(() => wanting(draft.tree), [draft.tree])
  const asked = useDebounced(written)
  const complete = missing.size === 0
  const preview = useQuery({
    queryKey: ['segment-preview', key, asked],
    enabled: complete && asked === written,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
    queryFn: ({ signal }) => {
      const body = { definition: JSON.parse(asked) as Record<string, unknown>, segment_id: segment?.id ?? null }
      return data(api.POST('/api/v1/segments/preview', { body, signal }))
    },
  })
  const [refused, setRefused] = useState<{ error: unknown; of: string } | null>(null)
  const told = refused?.of === written ? refused.error : complete && preview.isError ? preview.error : null
  const faults = useMemo(() => faultsById(draft.tree, told === null ? [] : problemOf(told).errors), [draft.tree, told])

  const request = useRef(crypto.randomUUID())
  /** The saved segment. Raises the Problem that the hub answers; faults of the definition stand at their conditions then. */
  const save = async (over: boolean): Promise<Segment> => {
    try {
      const saved = segment ? await put(segment, over) : await post()
      dropDraft(key)
      await client.invalidateQueries({ queryKey: ['segments'] })
      return saved
    } catch (error) {
      setRefused({ error, of: written })
      throw error
    }
  }
  const post = () =>
    data(
      api.POST('/api/v1/segments', {
        params: { header: { 'idempotency-key': request.current } },
        body: { name: draft.name.trim(), description: draft.description.trim(), definition },
      }),
    )
  const put = (one: Segment, over: boolean) =>
    data(
      api.PUT('/api/v1/segments/{segment_id}', {
        params: {
          path: { segment_id: one.id },
          header: over ? {} : { 'if-match': `"${draft.version}"` },
        },
        body: {
          name: draft.name.trim(),
          description: draft.description.trim(),
          ...(written === untouched ? {} : { definition }),
        },
      }),
    )
  return {
    draft,
    changed,
    missing,
    faults,
    preview,
    told,
    counting: complete && (preview.isFetching || asked !== written),
    setTree: (tree: Node) => setDraft((before) => ({ ...before, tree })),
    setName: (name: string) => setDraft((before) => ({ ...before, name })),
    setDescription: (description: string) => setDraft((before) => ({ ...before, description })),
    reset: () => {
      dropDraft(key)
      setDraft(original)
    },
    save,
  }
}

/** The value as it was when it had been the same for a moment. */
function useDebounced(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
