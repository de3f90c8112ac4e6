/** The frames of `/ws` (hub_api/chat/live/README.md). */
import type { Conversation, Message } from '../api/types'
import type { Board, Boards } from './boards'

export interface Person {
  user_id: string
  name: string
}

export type Frame =
  | { type: 'subscribed'; stream: 'inbox' | 'conversation'; id?: string; cursor: string }
  | { type: 'conversation'; stream: 'inbox'; cursor: string; data: Conversation }
  | { type: 'message'; stream: 'conversation'; id: string; cursor: string; data: Message }
  | { type: 'gone'; stream: 'inbox' | 'conversation'; id: string; cursor: string }
  | { [B in Board]: { type: B; stream: B; at: number; data: Boards[B] } }[Board]
  | { type: 'subscribed' | 'gone'; stream: Board }
  | { type: 'typing'; id: string; user_id: string; name: string }
  | { type: 'viewing'; id: string; people: Person[] }
  | { type: 'alive'; streams: { stream: 'inbox' | 'conversation'; id?: string; cursor: string }[] }
  | { type: 'reset'; stream: 'inbox' | 'conversation'; id?: string }
  | { type: 'error'; code: string; detail: string; stream?: string | null; id?: string | null }
  | { type: 'pong' }

const BOARDS: readonly string[] = ['queue', 'presence', 'wallboard'] satisfies Board[]

export function isBoard(room: string): room is Board {
  return BOARDS.includes(room)
}

/** Which subscription a frame belongs to: `inbox`, a board's name, or a conversation's id. Null: none. */
export function roomOf(frame: Frame): string | null {
  switch (frame.type) {
    case 'conversation':
      return 'inbox'
    case 'message':
    case 'typing':
    case 'viewing':
      return frame.id
    case 'queue':
    case 'presence':
    case 'wallboard':
      return frame.type
    case 'subscribed':
    case 'reset':
    case 'gone':
      return frame.stream === 'conversation' ? (frame.id ?? null) : frame.stream
    case 'error':
      return frame.stream === 'conversation' ? (frame.id ?? null) : (frame.stream ?? null)
    default:
      return null
  }
}
