import { describe, expect, it, vi } from 'vitest'
import { Problem } from '../src/api/problem'
import { type Draft, Outbox } from '../src/features/conversation/outbox'

describe('the outbox', () => {
  it('shows at once, tries again what may pass with the same key, and keeps the id of the message', async () => {
    const keys: string[] = []
    const post = vi.fn(async (draft: Draft) => {
      keys.push(draft.key)
      if (keys.length < 3) throw new Problem(503, 'unavailable', '')
      return { id: 'm1' }
    })
    const outbox = new Outbox(post, 0)
    const sending = outbox.write('t1', 'olá')
    expect(outbox.of('t1')).toMatchObject([{ state: 'sending', text: 'olá' }])
    await sending
    expect(outbox.of('t1')).toMatchObject([{ state: 'accepted', messageId: 'm1' }])
    expect(new Set(keys).size).toBe(1)
    expect(outbox.of('t2')).toEqual([])
  })

  it('keeps a refusal on the message until it is sent again or thrown away', async () => {
    let refuses = true
    const outbox = new Outbox(async () => {
      if (refuses) throw new Problem(409, 'window_closed', 'too late')
      return { id: 'm1' }
    }, 0)
    await outbox.write('t1', 'olá')
    const [failed] = outbox.of('t1')
    expect(failed).toMatchObject({ state: 'failed', problem: { code: 'window_closed' } })
    refuses = false
    await outbox.again(failed?.key ?? '')
    expect(outbox.of('t1')).toMatchObject([{ key: failed?.key, state: 'accepted' }])
    outbox.forget(failed?.key ?? '')
    expect(outbox.of('t1')).toEqual([])
  })

  it('gives the same list until something changes, as React wants it', async () => {
    const outbox = new Outbox(async () => ({ id: 'm' }), 0)
    const watcher = vi.fn()
    outbox.watch(watcher)
    expect(outbox.of('t1')).toBe(outbox.of('t1'))
    await outbox.write('t1', 'a')
    expect(watcher).toHaveBeenCalledTimes(2)
    outbox.clear()
    expect(outbox.of('t1')).toEqual([])
  })
})
