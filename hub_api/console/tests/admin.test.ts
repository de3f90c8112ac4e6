import { describe, expect, it } from 'vitest'
import { errorsOf, type PoolNumber, usage, waiting } from '../src/features/numbers/pool'
import { componentsOf, draftOf, places } from '../src/features/templates/components'
import { againstYesterday, clockTicks, isGood, shownAs } from '../src/features/wallboard/figures'
import type { Figure } from '../src/live/boards'
import { type Frame, roomOf } from '../src/live/frames'
import { decimal, fromLevels, fromMicros, levels, list, micros, number, words } from '../src/shared/admin/values'
import { lasting } from '../src/shared/since'

const figure = (fields: Partial<Figure>): Figure => ({
  key: 'csat',
  name: 'CSAT',
  unit: 'rating',
  better: 'up',
  target: null,
  today: null,
  yesterday: null,
  yesterday_so_far: null,
  cases: 0,
  hours: [],
  hours_yesterday: [],
  ...fields,
})

describe('figures of the wall', () => {
  it('are shown by their unit', () => {
    expect(shownAs(null, 'share', 'pt-BR')).toBe('–')
    expect(shownAs(0.874, 'share', 'pt-BR')).toBe('87%')
    expect(shownAs(95.4, 'seconds', 'pt-BR')).toBe('1 min 35 s')
    expect(shownAs(59.7, 'seconds', 'pt-BR')).toBe('1 min')
    expect(shownAs(7300, 'seconds', 'pt-BR')).toBe('2 h 1 min')
    expect(shownAs(7200, 'seconds', 'pt-BR')).toBe('2 h')
    expect(shownAs(4.57, 'rating', 'pt-BR')).toBe('4,6')
    expect(shownAs(1234, 'count', 'en')).toBe('1,234')
  })

  it('stand on an axis of whole minutes', () => {
    expect(clockTicks(400)).toEqual([0, 120, 240, 360])
    expect(clockTicks(4)).toEqual([0, 1, 2, 3, 4])
    expect(clockTicks(0)).toEqual([0])
    expect(clockTicks(50_000).length).toBeLessThanOrEqual(6)
  })

  it('are compared with yesterday up to the same hour: shares in points, others in percent, from nothing not at all', () => {
    expect(againstYesterday(figure({ unit: 'share', today: 0.9, yesterday_so_far: 0.85 }), 'en')).toBe('+5 p.p.')
    expect(againstYesterday(figure({ unit: 'count', today: 80, yesterday_so_far: 100 }), 'en')).toBe('-20%')
    expect(againstYesterday(figure({ unit: 'points', today: 20, yesterday_so_far: -30 }), 'en')).toBe('+50')
    expect(againstYesterday(figure({ unit: 'points', today: 20, yesterday_so_far: 0 }), 'en')).toBe('+20')
    expect(againstYesterday(figure({ unit: 'count', today: 80, yesterday_so_far: 0 }), 'en')).toBe('')
    expect(againstYesterday(figure({ unit: 'count', today: 80 }), 'en')).toBe('')
  })

  it('are good on the right side of their target alone', () => {
    expect(isGood(figure({ better: 'down', target: 120, today: 100 }))).toBe(true)
    expect(isGood(figure({ better: 'up', target: 4.5, today: 4.2 }))).toBe(false)
    expect(isGood(figure({ target: 4.5 }))).toBeNull()
    expect(isGood(figure({ today: 3 }))).toBeNull()
  })
})

describe('boards', () => {
  it('are rooms of their own', () => {
    const told = { type: 'queue', stream: 'queue', at: 1, data: { queues: [] } } as Frame
    expect(roomOf(told)).toBe('queue')
    expect(roomOf({ type: 'subscribed', stream: 'wallboard' })).toBe('wallboard')
    expect(roomOf({ type: 'gone', stream: 'presence' })).toBe('presence')
    expect(roomOf({ type: 'gone', stream: 'conversation', id: 'x', cursor: '1' })).toBe('x')
    expect(roomOf({ type: 'gone', stream: 'inbox', id: 'x', cursor: '1' })).toBe('inbox')
  })

  it('count seconds while it is short', () => {
    const now = Date.parse('2026-11-26T12:00:00Z')
    expect(lasting('2026-11-26T11:59:18Z', now, 'pt-BR')).toBe('0:42')
    expect(lasting('2026-11-26T11:47:55Z', now, 'pt-BR')).toBe('12:05')
    expect(lasting('2026-11-26T12:00:05Z', now, 'pt-BR')).toBe('0:00')
    expect(lasting('2026-11-26T09:00:00Z', now, 'pt-BR')).toBe('3 h')
    expect(lasting(null, now, 'pt-BR')).toBe('–')
  })
})

describe('what is typed', () => {
  it('becomes what the API wants', () => {
    expect(words('  ')).toBeNull()
    expect(words(' a ')).toBe('a')
    expect(list('a, b;a\n c ,')).toEqual(['a', 'b', 'c'])
    expect(levels('Fibra Óptica:4, ingles')).toEqual({ fibra_óptica: 4, ingles: 3 })
    expect(levels(fromLevels({ fibra: 5, voz: 1 }))).toEqual({ fibra: 5, voz: 1 })
    expect(number(null)).toBeNull()
    expect(number(0)).toBe(0)
  })
})

describe('templates', () => {
  const buttons = { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Ok' }] }
  const picture = { type: 'HEADER', format: 'IMAGE', example: { header_handle: ['h'] } }

  it('are written from fields with as many examples as there are places', () => {
    const draft = { header: '', body: 'Olá, {{1}}: {{2}}', footer: 'Até logo', examples: ['Ana', 'hoje', 'zuviel'] }
    expect(places(draft.body)).toBe(2)
    expect(componentsOf(draft)).toEqual([
      { type: 'BODY', text: 'Olá, {{1}}: {{2}}', example: { body_text: [['Ana', 'hoje']] } },
      { type: 'FOOTER', text: 'Até logo' },
    ])
  })

  it('keep what the form does not show, and come back as they were', () => {
    const before = [picture, { type: 'BODY', text: 'antes' }, buttons]
    const after = componentsOf({ ...draftOf(before), body: 'depois' }, before)
    expect(after).toEqual([picture, { type: 'BODY', text: 'depois' }, buttons])
    const titled = componentsOf({ header: 'Oi', body: 'b {{1}}', footer: '', examples: ['x'] })
    expect(draftOf(titled)).toEqual({ header: 'Oi', body: 'b {{1}}', footer: '', examples: ['x'] })
  })
})

describe('a number of the pool', () => {
  const one = {
    messaging_limit: 1000,
    quota_used: 250,
    queue: { human: { waiting: 2, oldest_age_s: 1 }, marketing: { waiting: 40, oldest_age_s: 9 } },
    errors: [1, 2, 3, 4].map((count) => ({ code: count, count, meaning: '', advice: null })),
  } as unknown as PoolNumber

  it('says what waits, how much of its limit is used, and what fails most', () => {
    expect(waiting(one)).toBe(42)
    expect(usage(one)).toBe(0.25)
    expect(usage({ ...one, messaging_limit: null })).toBeNull()
    expect(errorsOf(one).map((told) => told.count)).toEqual([4, 3, 2])
  })
})

describe('amounts and refusals', () => {
  it('reads amounts as people write them, and nothing else', () => {
    expect(['5,42', '1.234,50', 'R$ 12.500,00', '5.42', '7'].map(micros)).toEqual([
      5_420_000, 1_234_500_000, 12_500_000_000, 5_420_000, 7_000_000,
    ])
    expect(micros('1.234')).toBe(1_234_000_000)
    expect([1_234_000, 5_420_000, 7_000_000].map(fromMicros).map(micros)).toEqual([1_234_000, 5_420_000, 7_000_000])
    expect(['', 'muito', null].map((one) => micros(one))).toEqual([0, 0, 0])
    expect(decimal('0,95')).toBe(0.95)
    expect(['', 'muito', null].map((one) => decimal(one))).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })
  it('gives a refusal to who asked for the stream', () => {
    const refused = (stream: string | null, id: string | null = null): Frame => ({
      type: 'error',
      code: 'forbidden',
      detail: '',
      stream,
      id,
    })
    expect(roomOf(refused('wallboard'))).toBe('wallboard')
    expect(roomOf(refused('conversation', 'c-1'))).toBe('c-1')
    expect(roomOf(refused(null))).toBeNull()
  })
})
