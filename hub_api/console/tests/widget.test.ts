import { describe, expect, it } from 'vitest'
import { inkOn, type Message, pieces, Timeline } from '../widget/frames'
import { languageOf } from '../widget/words'

const message = (id: string, at: string, text = 'oi'): Message => ({
  id,
  at,
  text,
  talk: 't',
  from: 'bot',
  kind: 'text',
  state: 'sent',
})

describe('what the browser keeps of a chat', () => {
  it('has each message once, in order, as it was told last', () => {
    const timeline = new Timeline()
    expect(timeline.put(message('b', '2026-11-26T10:00:01Z'))).toBe(true)
    timeline.put(message('a', '2026-11-26T10:00:00Z'))
    timeline.put(message('c', '2026-11-26T10:00:00Z'))
    expect(timeline.put(message('b', '2026-11-26T10:00:01Z', 'corrigido'))).toBe(false)
    expect(timeline.all().map((one) => [one.id, one.text])).toEqual([
      ['a', 'oi'],
      ['c', 'oi'],
      ['b', 'corrigido'],
    ])
    expect(timeline.last()).toBe('c')
    timeline.clear()
    expect([timeline.size, timeline.last()]).toEqual([0, null])
  })
})

describe('words in pieces', () => {
  it('makes links of addresses only, without what ends the sentence', () => {
    expect(pieces('veja https://a.example/x?y=1. ou javascript:alert(1)')).toEqual([
      { kind: 'text', text: 'veja ' },
      { kind: 'link', text: 'https://a.example/x?y=1' },
      { kind: 'text', text: '. ou javascript:alert(1)' },
    ])
  })

  it('reads *bold* as WhatsApp does, and leaves sums and markup alone', () => {
    expect(pieces('já *estou* aqui')[1]).toEqual({ kind: 'strong', text: 'estou' })
    for (const text of ['2*3*4', '* um * dois', '<b>x</b>']) expect(pieces(text)).toEqual([{ kind: 'text', text }])
  })

  it('loses no letter', () => {
    for (const text of ['', 'a', '*b*', 'https://x.y z', '**', '* *']) {
      const whole = pieces(text).map((one) => (one.kind === 'strong' ? `*${one.text}*` : one.text))
      expect(whole.join('')).toBe(text)
    }
  })
})

it('reads well on any colour', () => {
  expect([inkOn('#000000'), inkOn('#00695c'), inkOn('#ffffff'), inkOn('#ffeb3b')]).toEqual([
    '#fff',
    '#fff',
    '#000',
    '#000',
  ])
})

it('speaks English where the page does, else Portuguese', () => {
  expect([languageOf('en-US'), languageOf('pt-BR'), languageOf('es'), languageOf(null)]).toEqual([
    'en',
    'pt',
    'pt',
    'pt',
  ])
})
