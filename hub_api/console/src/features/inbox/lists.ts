/** The lists of the inbox: what belongs into each, in which order, and how a change is laid into what is loaded. */
import type { Conversation, ConversationState } from '../../api/types'

export const LISTS = ['mine', 'queue', 'all', 'resolved'] as const
export type ListName = (typeof LISTS)[number]

export interface Filter {
  list: ListName
  /** Whose `mine` is. */
  me: string
  state?: ConversationState
  queue?: string
}

export interface Page {
  items: Conversation[]
  next_cursor: string | null
}

export function isList(name: string | undefined): name is ListName {
  return LISTS.some((one) => one === name)
}

/** What the API is asked for a list. */
export function queryOf(filter: Filter): { state?: ConversationState; queue?: string; agent_id?: string } {
  const queue = filter.queue || undefined
  switch (filter.list) {
    case 'mine':
      return { agent_id: filter.me, queue }
    case 'queue':
      return { state: 'queued', queue }
    case 'resolved':
      return { state: 'resolved', queue }
    case 'all':
      return { state: filter.state, queue }
  }
}

/** Whether a conversation belongs into a list. */
export function fits(filter: Filter, one: Conversation): boolean {
  if (filter.queue && one.queue !== filter.queue) return false
  switch (filter.list) {
    case 'mine':
      return one.agent_id === filter.me && (one.state === 'assigned' || one.state === 'waiting_customer')
    case 'queue':
      return one.state === 'queued'
    case 'resolved':
      return one.state === 'resolved'
    case 'all':
      return !filter.state || one.state === filter.state
  }
}

/** The order in which the API gives a list. */
export function compare(filter: Filter, a: Conversation, b: Conversation): number {
  if (filter.list === 'queue') {
    return b.priority - a.priority || at(a.line_at) - at(b.line_at) || byText(a.id, b.id)
  }
  if (filter.list === 'mine') {
    return at(b.last_message_at ?? b.opened_at) - at(a.last_message_at ?? a.opened_at) || byText(b.id, a.id)
  }
  return byText(b.id, a.id) // ids tell the time of opening
}

/** The pages with this conversation where it belongs now; the same pages when nothing is different. */
export function lay(pages: Page[], filter: Filter, one: Conversation): Page[] {
  const all = pages.flatMap((page) => page.items)
  const known = all.find((other) => other.id === one.id)
  if (known && known.version > one.version) return pages
  const belongs = fits(filter, one)
  const last = all.at(-1)
  const more = pages.at(-1)?.next_cursor ?? null
  const beyond = more !== null && last !== undefined && compare(filter, one, last) > 0 // it will come with the next page
  if (!known && (!belongs || beyond)) return pages
  const items = all.filter((other) => other.id !== one.id)
  if (belongs) items.push(one)
  items.sort((a, b) => compare(filter, a, b))
  return gathered(pages, items)
}

/** The pages without a conversation that the reader no longer sees. */
export function withdraw(pages: Page[], id: string): Page[] {
  if (!pages.some((page) => page.items.some((one) => one.id === id))) return pages
  return pages.map((page) => ({ ...page, items: page.items.filter((one) => one.id !== id) }))
}

/** All rows in the first page: cursors stay, so that the next page is still the next one. */
function gathered(pages: Page[], items: Conversation[]): Page[] {
  return pages.map((page, index) => ({ ...page, items: index === 0 ? items : [] }))
}

const at = (time: string | null) => (time ? Date.parse(time) : 0)
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
