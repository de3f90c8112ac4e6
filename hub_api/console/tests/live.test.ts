// The live streams over a socket that the test holds: what is subscribed again and from where, pauses, the end.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Live } from '../src/live/socket'

class Socket {
  readyState = 0
  sent: Record<string, unknown>[] = []
  onopen = () => {}
  onmessage = (_: { data: string }) => {}
  onclose = (_: { code: number }) => {}
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.readyState = 3
  }
  opens() {
    this.readyState = 1
    this.onopen()
  }
  says(frame: object) {
    this.onmessage({ data: JSON.stringify(frame) })
  }
  ends(code: number) {
    this.readyState = 3
    this.onclose({ code })
  }
}

let sockets: Socket[]
let lives: boolean
let live: Live
const last = () => sockets.at(-1) as Socket

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(1)
  sockets = []
  lives = true
  live = new Live({
    url: 'ws://hub.test/ws',
    sessionLives: async () => lives,
    open: () => {
      sockets.push(new Socket())
      return last() as unknown as WebSocket
    },
  })
})

afterEach(() => {
  live.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const listener = () => ({ onFrame: vi.fn(), onGap: vi.fn() })

describe('live', () => {
  it('subscribes when it is open and again after a loss, from the last cursor of each stream', async () => {
    const [inbox, talk] = [listener(), listener()]
    live.subscribe('inbox', inbox)
    live.start()
    last().opens()
    live.subscribe('t1', talk)
    expect(last().sent).toEqual([
      { op: 'subscribe', stream: 'inbox', after: null },
      { op: 'subscribe', stream: 'conversation', id: 't1', after: null },
    ])
    last().says({ type: 'subscribed', stream: 'inbox', cursor: 'c1' })
    last().says({ type: 'subscribed', stream: 'conversation', id: 't1', cursor: 'c2' })
    expect([inbox.onGap.mock.calls.length, talk.onGap.mock.calls.length]).toEqual([1, 1])
    last().says({ type: 'message', stream: 'conversation', id: 't1', cursor: 'c3', data: {} })
    last().says({ type: 'alive', streams: [{ stream: 'inbox', cursor: 'c9' }] })
    last().ends(1006)
    expect(live.connected).toBe(false)
    await vi.advanceTimersByTimeAsync(500)
    expect(sockets).toHaveLength(2)
    last().opens()
    expect(last().sent.map((one) => one.after)).toEqual(['c9', 'c3'])
    last().says({ type: 'subscribed', stream: 'inbox', cursor: 'c9' })
    expect(inbox.onGap).toHaveBeenCalledTimes(1) // nothing was missed: nothing is read again
    last().says({ type: 'reset', stream: 'conversation', id: 't1' })
    expect(talk.onGap).toHaveBeenCalledTimes(2)
    expect(talk.onFrame.mock.calls.map(([frame]) => frame.type)).toEqual(['subscribed', 'message', 'reset'])
  })

  it('waits longer after each failure, comes at once when it was too slow, and gives up when the session is over', async () => {
    live.start()
    for (const pause of [500, 1000, 2000]) {
      last().ends(1006)
      const count = sockets.length
      await vi.advanceTimersByTimeAsync(pause - 1)
      expect(sockets).toHaveLength(count)
      await vi.advanceTimersByTimeAsync(1)
      expect(sockets).toHaveLength(count + 1)
    }
    last().opens()
    last().ends(4008)
    await vi.advanceTimersByTimeAsync(0)
    expect(sockets).toHaveLength(5)
    last().opens()
    lives = false
    last().ends(1008)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(sockets).toHaveLength(5)
  })

  it('takes a socket that says nothing for dead', async () => {
    live.start()
    last().opens()
    await vi.advanceTimersByTimeAsync(39_000)
    last().says({ type: 'alive', streams: [] })
    await vi.advanceTimersByTimeAsync(39_000)
    expect(live.connected).toBe(true)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(live.connected).toBe(false)
    await vi.advanceTimersByTimeAsync(500)
    expect(sockets).toHaveLength(2)
  })

  it('ends a subscription with its last listener, and says nothing about rooms that are not open', () => {
    live.start()
    last().opens()
    const [first, second] = [live.subscribe('t1', listener()), live.subscribe('t1', listener())]
    first()
    live.say('typing', 't1')
    second()
    live.say('typing', 't1')
    expect(last().sent.map((one) => one.op)).toEqual(['subscribe', 'typing', 'unsubscribe'])
  })
})
