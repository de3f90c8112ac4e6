import { describe, expect, it } from 'vitest'
import { matching } from '../src/features/inbox/Lists'
import { type Filter, lay, queryOf, withdraw } from '../src/features/inbox/lists'
import { Recent } from '../src/live/recent'
import { conversation } from './made'

const queue: Filter = { list: 'queue', me: 'me' }
const ids = (pages: { items: { id: string }[] }[]) => pages.flatMap((page) => page.items.map((one) => one.id))
const waiting = (id: string, minute: number, priority = 1) =>
  conversation(id, { priority, line_at: `2026-11-26T12:${String(minute).padStart(2, '0')}:00Z` })

describe('the lists of the inbox', () => {
  it('keep the queue in the order in which it should be taken', () => {
    let pages = [{ items: [waiting('a', 1), waiting('b', 5)], next_cursor: null as string | null }]
    for (const one of [waiting('c', 3), waiting('d', 9, 4)]) pages = lay(pages, queue, one)
    expect(ids(pages)).toEqual(['d', 'a', 'c', 'b'])
    expect(ids(lay(pages, queue, conversation('c', { state: 'assigned', agent_id: 'me', version: 2 })))).toEqual([
      'd',
      'a',
      'b',
    ])
    expect(ids(withdraw(pages, 'd'))).toEqual(['a', 'c', 'b'])
  })

  it('never go back to an older version', () => {
    const pages = [{ items: [waiting('a', 1)], next_cursor: null }]
    const newer = lay(pages, queue, { ...waiting('a', 1), tags: ['vip'], version: 3 })
    expect(lay(newer, queue, { ...waiting('a', 1), version: 2 })).toBe(newer)
  })

  it('leave to the next page what comes after the loaded ones', () => {
    const pages = [{ items: [waiting('a', 1), waiting('b', 5)], next_cursor: 'more' }]
    expect(lay(pages, queue, waiting('z', 30))).toBe(pages) // the list is as it was, its rows are the same
    expect(ids(lay(pages, queue, waiting('c', 3)))).toEqual(['a', 'c', 'b'])
  })

  it('have mine with the last word first, and a change of its agent takes it away', () => {
    const mine: Filter = { list: 'mine', me: 'me' }
    const held = (id: string, minute: number) =>
      conversation(id, { state: 'waiting_customer', agent_id: 'me', last_message_at: `2026-11-26T12:0${minute}:00Z` })
    let pages = [{ items: [held('b', 2), held('a', 1)], next_cursor: null as string | null }]
    pages = lay(pages, mine, { ...held('a', 4), version: 2 })
    expect(ids(pages)).toEqual(['a', 'b'])
    expect(ids(lay(pages, mine, { ...held('a', 4), agent_id: 'other', version: 3 }))).toEqual(['b'])
  })

  it('ask the API for what they show', () => {
    expect(queryOf({ list: 'mine', me: 'u1', queue: 'fibra' })).toEqual({ agent_id: 'u1', queue: 'fibra' })
    expect(queryOf(queue)).toEqual({ state: 'queued', queue: undefined })
    expect(queryOf({ list: 'all', me: 'u1', state: 'bot' })).toEqual({ state: 'bot', queue: undefined })
  })

  it('are searched without accents', () => {
    const rows = [conversation('1', { customer_name: 'João Mudança' }), conversation('2', { customer_name: null })]
    expect(matching(rows, ' mudanca ').map((one) => one.id)).toEqual(['1'])
    expect(matching(rows, '00000002').map((one) => one.id)).toEqual(['2'])
    expect(matching(rows, '')).toBe(rows)
  })
})

describe('what was told lately', () => {
  it('is what came after the mark, by room', () => {
    const recent = new Recent<number>()
    recent.note('a', 1)
    const mark = recent.mark()
    recent.note('b', 2)
    recent.note('a', 3)
    expect(recent.since('a', mark)).toEqual([3])
    for (let index = 0; index < 3000; index++) recent.note('a', index)
    expect(recent.since('a', mark).at(-1)).toBe(2999)
    expect(recent.since('a', 0).length).toBeLessThanOrEqual(2000)
  })
})
