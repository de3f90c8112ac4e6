/** The boards of `/ws` (hub_api/chat/live/README.md): whole states, each frame replacing the one before. */
import { useState } from 'react'
import type { Presence } from '../api/types'
import { useRoom } from './useLive'

export interface InLine {
  id: string
  protocol: string
  priority: number
  line_at: string
  position: number
  sla_due_at: string | null
}

interface Counts {
  waiting: number
  oldest_waiting_at: string | null
  in_service: number
  waiting_customer: number
  breached: number
  at_risk: number
}

export interface QueueState extends Counts {
  id: string
  key: string
  name: string
  /** Skills (`fibra:3`) and languages that it asks for and nobody who serves it has. */
  lacks: string[]
}

export interface AgentState {
  user_id: string
  name: string
  presence: Presence
  reason: string | null
  since: string | null
  capacity: number
  load: number
  free: number
}

export interface Figure {
  key: string
  name: string
  unit: string
  better: 'up' | 'down' | 'none'
  target: number | null
  today: number | null
  yesterday: number | null
  yesterday_so_far: number | null
  cases: number
  hours: (number | null)[]
  hours_yesterday: (number | null)[]
}

export interface Boards {
  queue: { queues: (QueueState & { line: InLine[] })[] }
  presence: { agents: AgentState[] }
  wallboard: Counts & {
    presence: Record<Presence, number>
    slots: { capacity: number; free: number }
    queues: QueueState[]
    figures: { at: string; day: string; hour: number; items: Figure[] } | null
  }
}

export type Board = keyof Boards

interface Told<B extends Board> {
  data: Boards[B] | undefined
  at: number
  refused: string | null
}

/**
 * A board as it was told last, undefined until then; `at` is when (ms). It stays while the socket comes back. `refused`: why
 * the hub does not tell it to this reader.
 */
export function useBoard<B extends Board>(board: B): Told<B> {
  const [state, setState] = useState<Told<B>>({ data: undefined, at: 0, refused: null })
  useRoom(board, {
    onFrame: (frame) => {
      if (frame.type === board) setState({ data: frame.data as Boards[B], at: frame.at * 1000, refused: null })
      if (frame.type === 'error') setState({ data: undefined, at: 0, refused: frame.code })
      if (frame.type === 'gone') setState({ data: undefined, at: 0, refused: 'forbidden' })
    },
    onGap: () => undefined, // the whole board comes at once
  })
  return state
}
