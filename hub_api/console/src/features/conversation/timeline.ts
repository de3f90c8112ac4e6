/** From pages of messages (newest first) to what is shown from top to bottom: days, messages, what is being sent. Pure. */
import type { Message, Note } from '../../api/types'
import { dayOf } from '../../shared/format'
import type { Draft } from './outbox'

export interface MessagePage {
  items: Message[]
  next_cursor: string | null
}

export type Entry =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'message'; key: string; message: Message }
  | { kind: 'note'; key: string; note: Note }
  | { kind: 'draft'; key: string; draft: Draft }

/** A message new or changed laid into the pages; one that is older than all of them comes with its own page. */
export function laidOver(pages: MessagePage[], one: Message, mayAdd: boolean): MessagePage[] {
  if (pages.some((page) => page.items.some((other) => other.id === one.id))) {
    return pages.map((page) => ({ ...page, items: page.items.map((other) => (other.id === one.id ? one : other)) }))
  }
  const oldest = pages.at(-1)
  const end = oldest?.items.at(-1)
  if (!mayAdd || (oldest?.next_cursor && end && newestFirst(one, end) > 0)) return pages
  const [first, ...rest] = pages
  if (!first) return pages
  const last = rest.find((page) => page.items.length > 0)?.items[0]
  if (last && newestFirst(one, last) > 0) {
    // It belongs between older ones: put it there, whichever page that is.
    const all = [...pages.flatMap((page) => page.items), one].sort(newestFirst)
    return pages.map((page, index) => ({ ...page, items: index === 0 ? all : [] }))
  }
  return [{ ...first, items: [one, ...first.items].sort(newestFirst) }, ...rest]
}

/**
 * What is shown, oldest first: notes among the messages by their time. Drafts whose message is there already are left out, as
 * are notes that are older than what is loaded.
 */
export function entriesOf(pages: MessagePage[], drafts: Draft[], notes: Note[] = []): Entry[] {
  const messages = pages
    .flatMap((page) => page.items)
    .sort(newestFirst)
    .reverse()
  const known = new Set(messages.map((one) => one.id))
  const entries: Entry[] = []
  let day = ''
  const begin = (at: string) => {
    const next = dayOf(at)
    if (next !== day) entries.push({ kind: 'day', key: `day-${next}`, at })
    day = next
  }
  const isWhole = !pages.at(-1)?.next_cursor
  const oldest = messages[0]?.created_at
  const waiting = [...notes]
    .filter((note) => isWhole || !oldest || note.created_at >= oldest)
    .sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at))
  const notesUntil = (at: string | null) => {
    for (let note = waiting[0]; note && (!at || Date.parse(note.created_at) < Date.parse(at)); note = waiting[0]) {
      waiting.shift()
      begin(note.created_at)
      entries.push({ kind: 'note', key: `note-${note.id}`, note })
    }
  }
  for (const message of messages) {
    notesUntil(message.created_at)
    begin(message.created_at)
    entries.push({ kind: 'message', key: message.id, message })
  }
  notesUntil(null)
  for (const draft of drafts) {
    if (draft.messageId && known.has(draft.messageId)) continue
    begin(draft.at)
    entries.push({ kind: 'draft', key: draft.key, draft })
  }
  return entries
}

/** The newest word of the customer; null: none is loaded. */
export function lastOfCustomer(pages: MessagePage[]): Message | null {
  return pages.flatMap((page) => page.items).find((one) => one.direction === 'in') ?? null
}

/** How many messages of the customer are newer than the one with this id; of what is loaded. */
export function wordsAfter(pages: MessagePage[], id: string | null): number {
  const all = pages.flatMap((page) => page.items).filter((one) => one.direction === 'in')
  const place = all.findIndex((one) => one.id === id)
  return Math.max(place, 0)
}

function newestFirst(a: Message, b: Message): number {
  return Date.parse(b.created_at) - Date.parse(a.created_at) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}
