/** What is offered for the word that is being written, and the keys that choose from it. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import { api, data } from '../../../api/client'
import type { Canned, Colleague } from '../../../api/types'
import { useColleagues } from '../../../shared/useColleagues'
import { asked, matches } from './suggest'

export interface Suggested {
  key: string
  title: string
  detail: string
}

export interface SuggestionList {
  id: string
  items: Suggested[]
  at: number
  choose: (index: number) => void
  press: (event: KeyboardEvent) => boolean
  /** What the field says of the list to who cannot see it. */
  field: Record<string, string | undefined>
  /** Ids of the colleagues whom a note names. */
  mentioned: (text: string) => string[]
}

export function useSuggestions(
  conversationId: string,
  isNote: boolean,
  text: string,
  change: (next: string) => void,
): SuggestionList {
  const id = useId()
  const client = useQueryClient()
  const colleagues = useColleagues()
  const [at, setAt] = useState(0)
  const [closedFor, setClosedFor] = useState<string | null>(null)
  const wanted = asked(text, isNote ? '@' : '/')
  const canned = useQuery({
    queryKey: ['canned-replies'],
    enabled: !isNote && wanted !== null,
    staleTime: 300_000,
    queryFn: async () => (await data(api.GET('/api/v1/canned-replies', { params: { query: { limit: 500 } } }))).items,
  })
  const found: (Canned | Colleague)[] = useMemo(() => {
    if (!wanted || closedFor === text) return []
    return isNote
      ? matches([...colleagues.values()], (one) => [one.name], wanted.word)
      : matches(canned.data ?? [], (one) => [one.shortcut, one.title], wanted.word)
  }, [wanted, closedFor, text, isNote, colleagues, canned.data])
  const items = found.map((one) =>
    'shortcut' in one
      ? { key: one.id, title: `/${one.shortcut}`, detail: one.title }
      : { key: one.user_id, title: `@${one.name}`, detail: '' },
  )
  const choose = (index: number) => {
    const one = found[index]
    if (!one || !wanted) return
    setAt(0)
    if (!('shortcut' in one)) return change(`${text.slice(0, wanted.at)}@${one.name} `)
    const query = { conversation_id: conversationId }
    const filled = client.fetchQuery({
      queryKey: ['canned-reply', one.id, conversationId],
      queryFn: () =>
        data(api.GET('/api/v1/canned-replies/{reply_id}/text', { params: { path: { reply_id: one.id }, query } })),
    })
    void filled.then(
      (told) => change(told.text),
      () => change(one.text),
    )
  }
  const press = (event: KeyboardEvent): boolean => {
    if (items.length === 0) return false
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) setAt((at + step + items.length) % items.length)
    else if (event.key === 'Enter' || event.key === 'Tab') choose(Math.min(at, items.length - 1))
    else if (event.key === 'Escape') setClosedFor(text)
    else return false
    event.preventDefault()
    return true
  }
  const isOpen = items.length > 0
  const active = Math.min(at, Math.max(0, items.length - 1))
  return {
    id,
    items,
    at: active,
    choose,
    press,
    field: {
      'aria-autocomplete': 'list',
      'aria-controls': isOpen ? id : undefined,
      'aria-activedescendant': isOpen ? `${id}-${active}` : undefined,
    },
    mentioned: (words) =>
      [...colleagues.values()].filter((one) => words.includes(`@${one.name}`)).map((one) => one.user_id),
  }
}
