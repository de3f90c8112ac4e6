/** What the hub says on `/widget/ws` (hub_api/chat/site/README.md), and what the visitor's browser keeps of it. Pure. */

export interface FileShown {
  id: string
  kind: string
  state: string
  mime_type: string | null
  size: number | null
  name: string | null
}

export interface Message {
  id: string
  at: string
  talk: string
  from: 'visitor' | 'bot' | 'agent'
  kind: string
  text: string | null
  state: string
  name?: string
  client_id?: string
  files?: FileShown[]
  options?: { id: string; title: string }[]
  link?: { title: string | null; url: string }
}

export interface Talk {
  id: string
  protocol: string
  state: string
  agent: string | null
  position: number | null
}

export interface Welcome {
  type: 'welcome'
  token: string | null
  title: string
  color: string
  consent: Record<'pt' | 'en', { version: string; text: string }>
  open: boolean
  opens_at: string | null
  verified: boolean
  can_verify: boolean
  most_text: number
  most_file_bytes: number
}

export type Told =
  | Welcome
  | { type: 'started'; token: string }
  | { type: 'reset' | 'ready' | 'pong' | 'code_sent' | 'verified' }
  | { type: 'message'; data: Message }
  | { type: 'talk'; data: Talk | null }
  | { type: 'sent'; client_id: string; id: string; at: string }
  | { type: 'error'; code: string; detail: string; client_id?: string; retry_after_s?: number }

/** A message of the visitor that the hub has not confirmed: said again after every interruption, under the same name. */
export interface Pending {
  client_id: string
  frame: Record<string, unknown>
  text: string
  problem?: string
}

/** The messages as they stand, each once, whatever was told twice or late. */
export class Timeline {
  private readonly byId = new Map<string, Message>()

  get size(): number {
    return this.byId.size
  }

  /** Take a row in; it replaces the one with its id. True when it is new. */
  put(message: Message): boolean {
    const isNew = !this.byId.has(message.id)
    this.byId.set(message.id, message)
    return isNew
  }

  clear(): void {
    this.byId.clear()
  }

  /** Oldest first. Ids are made in order of time. */
  all(): Message[] {
    return [...this.byId.values()].sort((a, b) => (a.at === b.at ? compare(a.id, b.id) : compare(a.at, b.at)))
  }

  /** The id to come back with: what was told before it is here. */
  last(): string | null {
    let last: string | null = null
    for (const id of this.byId.keys()) if (last === null || id > last) last = id
    return last
  }
}

/** Whether black or white is read better on a colour (WCAG 2.2, relative luminance). */
export function inkOn(color: string): '#000' | '#fff' {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  const light = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? '#000' : '#fff'
}

export type Piece = { kind: 'text' | 'strong' | 'link'; text: string }

/** Words in pieces: addresses to open and *bold* as WhatsApp writes it. Nothing is ever read as HTML. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let end = 0
  for (const match of text.matchAll(
    /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)]|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])/g,
  )) {
    if (match.index > end) found.push({ kind: 'text', text: text.slice(end, match.index) })
    found.push(match[1] === undefined ? { kind: 'link', text: match[0] } : { kind: 'strong', text: match[1] })
    end = match.index + match[0].length
  }
  if (end < text.length) found.push({ kind: 'text', text: text.slice(end) })
  return found
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
