/**
 * A draft between the page and the hub. Each change is kept in this tab at once, and at the hub whenever a step is left whole; so
 * neither a reload nor a request that failed loses what was typed.
 */
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, data } from '../../../api/client'
import { type Problem, problemOf } from '../../../api/problem'
import { useMe } from '../../../app/session'
import { drop, keep, readKept } from '../drafts'
import { isKeepable } from '../faults'
import { bodyOf, type Campaign, type Draft, draftOf, freshDraft } from '../plan'

export interface Drafting {
  draft: Draft
  set: (changes: Partial<Draft>) => void
  /** What the hub has of it; null before it has anything. */
  kept: { id: string; version: number } | null
  /** Whether something was typed that the hub does not have. */
  changed: boolean
  saving: boolean
  problem: Problem | null
  /** Somebody else changed it since: `overwrite` saves over that, `discard` takes it. */
  stale: boolean
  save: () => Promise<boolean>
  overwrite: () => void
  discard: () => void
}

/** `campaign`: as the hub keeps it; null for one that is being made. `onMade` is told the id when the hub keeps it first. */
export function useDraft(campaign: Campaign | null, onMade: (id: string) => void): Drafting {
  const user = useMe().id
  const client = useQueryClient()
  const [start] = useState(() => readKept(user, campaign?.id ?? 'new'))
  const [draft, setDraft] = useState<Draft>(() => start?.draft ?? (campaign ? draftOf(campaign) : freshDraft()))
  const [changed, setChanged] = useState(start !== null)
  const [id, setId] = useState(campaign?.id ?? null)
  const [version, setVersion] = useState<number | null>(start?.version ?? campaign?.version ?? null)
  const [saving, setSaving] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [stale, setStale] = useState(Boolean(start && campaign && start.version !== campaign.version))
  const key = useRef(start?.key ?? crypto.randomUUID())
  const underway = useRef<Promise<boolean> | null>(null)

  useEffect(() => {
    if (changed) keep(user, id ?? 'new', { draft, version, key: key.current })
  }, [changed, draft, id, user, version])

  const set = useCallback((changes: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changes }))
    setChanged(true)
  }, [])

  const put = async (): Promise<boolean> => {
    if (!isKeepable(draft)) return false
    if (!changed && id !== null) return true
    setSaving(true)
    setProblem(null)
    try {
      const body = bodyOf(draft)
      const made = id
        ? await data(
            api.PUT('/api/v1/campaigns/{campaign_id}', {
              params: { path: { campaign_id: id }, header: { 'if-match': `"${version}"` } },
              body,
            }),
          )
        : await data(api.POST('/api/v1/campaigns', { params: { header: { 'idempotency-key': key.current } }, body }))
      drop(user, id ?? 'new')
      setChanged(false)
      setVersion(made.version)
      setId(made.id)
      client.setQueryData(['campaign', made.id], made)
      void client.invalidateQueries({ queryKey: ['campaigns'] })
      if (!id) onMade(made.id)
      return true
    } catch (refused) {
      const told = problemOf(refused)
      setStale(told.code === 'stale')
      setProblem(told.code === 'stale' ? null : told)
      // A key belongs to the words it came with first.
      if (told.code === 'idempotency_key_reused') key.current = crypto.randomUUID()
      return false
    } finally {
      setSaving(false)
    }
  }
  const save = () => {
    underway.current ??= put().finally(() => {
      underway.current = null
    })
    return underway.current
  }
  const newest = () =>
    data(api.GET('/api/v1/campaigns/{campaign_id}', { params: { path: { campaign_id: id ?? '' } } })).catch(
      (refused: unknown) => {
        setProblem(problemOf(refused))
        return null
      },
    )
  const overwrite = async () => {
    const found = await newest()
    if (found === null) return
    setVersion(found.version)
    setStale(false)
  }
  const discard = async () => {
    const found = id ? await newest() : null
    if (id && found === null) return
    drop(user, id ?? 'new')
    setDraft(found ? draftOf(found) : freshDraft())
    setVersion(found?.version ?? null)
    setChanged(false)
    setStale(false)
    setProblem(null)
    key.current = crypto.randomUUID()
  }
  return {
    draft,
    set,
    kept: id !== null && version !== null ? { id, version } : null,
    changed,
    saving,
    problem,
    stale,
    save,
    overwrite: () => void overwrite(),
    discard: () => void discard(),
  }
}
