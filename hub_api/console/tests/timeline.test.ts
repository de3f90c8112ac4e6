import { describe, expect, it } from 'vitest'
import type { Note } from '../src/api/types'
import type { Draft } from '../src/features/conversation/outbox'
import {
  entriesOf,
  laidOver,
  lastOfCustomer,
  type MessagePage,
  wordsAfter,
} from '../src/features/conversation/timeline'
import { message } from './made'

const page = (items: ReturnType<typeof message>[], next_cursor: string | null = null): MessagePage => ({
  items,
  next_cursor,
})
const ids = (pages: MessagePage[]) => pages.flatMap((one) => one.items.map((item) => item.id))

describe('messages laid into what is loaded', () => {
  it('replace by id, join at their place, and leave what is older to its page', () => {
    const pages = [page([message('d', 4), message('c', 3)]), page([message('b', 2), message('a', 1)], 'more')]
    expect(ids(laidOver(pages, message('e', 5), true))).toEqual(['e', 'd', 'c', 'b', 'a'])
    const read = laidOver(pages, message('b', 2, { state: 'read' }), true)
    expect(read[1]?.items[0]?.state).toBe('read')
    expect(ids(laidOver(pages, message('b2', 2, { created_at: '2026-11-26T12:02:30Z' }), true))).toEqual([
      'd',
      'c',
      'b2',
      'b',
      'a',
    ])
    expect(laidOver(pages, message('0', 0), true)).toBe(pages)
    expect(laidOver(pages, message('e', 5), false)).toBe(pages)
  })

  it('are shown oldest first under their days, drafts last and only until their message is there', () => {
    const draft = (key: string, messageId: string | null): Draft => ({
      key,
      conversationId: 't',
      at: '2026-11-26T12:09:00Z',
      text: key,
      replyTo: null,
      state: messageId ? 'accepted' : 'sending',
      messageId,
      problem: null,
    })
    const yesterday = message('y', 0, { created_at: '2026-11-26T02:59:00Z' }) // 23:59 of the day before in São Paulo
    const entries = entriesOf([page([message('b', 2), yesterday])], [draft('known', 'b'), draft('new', null)])
    expect(entries.map((one) => one.key)).toEqual(['day-2026-11-25', 'y', 'day-2026-11-26', 'b', 'new'])
  })

  it('have notes among them by their time, but none from before what is loaded', () => {
    const note = (id: string, minute: number): Note => ({
      id,
      conversation_id: 't',
      author_id: null,
      author: 'Bia',
      text: id,
      mentions: [],
      created_at: new Date(Date.UTC(2026, 10, 26, 12, minute)).toISOString(),
    })
    const notes = [note('late', 9), note('between', 3), note('early', 1)]
    const whole = entriesOf([page([message('b', 4), message('a', 2)])], [], notes)
    expect(whole.map((one) => one.key)).toEqual(['day-2026-11-26', 'note-early', 'a', 'note-between', 'b', 'note-late'])
    const part = entriesOf([page([message('b', 4), message('a', 2)], 'more')], [], notes)
    expect(part.map((one) => one.key)).not.toContain('note-early')
  })

  it('tell the customer’s newest word', () => {
    const ours = message('o', 5, { direction: 'out', author: 'agent', state: 'sent' })
    expect(lastOfCustomer([page([ours, message('b', 2), message('a', 1)])])?.id).toBe('b')
    expect(lastOfCustomer([page([ours])])).toBeNull()
  })
})

it('words of the customer after one are counted, of what is loaded', () => {
  const pages = [
    { items: [message('d', 4), message('c', 3, { direction: 'out' }), message('b', 2)], next_cursor: null },
  ]
  expect(wordsAfter(pages, 'b')).toBe(1)
  expect(wordsAfter(pages, 'd')).toBe(0)
  expect(wordsAfter(pages, 'unknown')).toBe(0)
})
