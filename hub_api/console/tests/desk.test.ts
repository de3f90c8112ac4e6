import { describe, expect, it } from 'vitest'
import { judge } from '../src/api/upload'
import { oggFromWebm, samplesOf } from '../src/features/conversation/composer/ogg'
import { asked, matches } from '../src/features/conversation/composer/suggest'
import { filled, formOf, messageOf, missing } from '../src/features/conversation/composer/template'
import { bodyOf, type DraftFile } from '../src/features/conversation/outbox'
import { newsOf } from '../src/features/inbox/useAlerts'
import { kindsOf } from '../src/features/search/kinds'
import { fromField, toField } from '../src/shared/format'
import { conversation } from './made'

describe('a template', () => {
  const bill = {
    name: 'fatura_disponivel',
    language: 'pt_BR',
    parameter_format: 'NAMED',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Fatura de {{mes}}', example: { header_text: ['novembro'] } },
      {
        type: 'BODY',
        text: 'Olá {{nome}}, são {{valor}}. Obrigado, {{nome}}!',
        example: {
          body_text_named_params: [
            { param_name: 'nome', example: 'Ana' },
            { param_name: 'valor', example: 'R$ 99,90' },
          ],
        },
      },
      { type: 'FOOTER', text: 'Telecom' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'QUICK_REPLY', text: 'Segunda via' },
          { type: 'URL', text: 'Ver', url: 'https://t.example/f/{{1}}', example: ['https://t.example/f/abc'] },
        ],
      },
    ],
  }

  it('tells what is to fill, each variable once, with its example', () => {
    const form = formOf(bill)
    expect(form.fields.map((field) => [field.key, field.example])).toEqual([
      ['header.mes', 'novembro'],
      ['body.nome', 'Ana'],
      ['body.valor', 'R$ 99,90'],
      ['button.1', 'abc'],
    ])
    expect(form).toMatchObject({ footer: 'Telecom', buttons: ['Segunda via', 'Ver'], isBeyond: false })
    expect(filled(form.body, 'body', { 'body.nome': 'Bia' })).toBe('Olá Bia, são {{valor}}. Obrigado, Bia!')
  })

  it('becomes the components of the send call, one line a variable', () => {
    const form = formOf(bill)
    const values = { 'header.mes': 'maio', 'body.nome': ' Ana\nSouza ', 'body.valor': 'R$  1', 'button.1': 'x9' }
    expect(missing(form, { ...values, 'body.valor': ' ' }).map((field) => field.key)).toEqual(['body.valor'])
    expect(messageOf(bill, form, values)).toEqual({
      type: 'template',
      name: 'fatura_disponivel',
      language: 'pt_BR',
      components: [
        { type: 'header', parameters: [{ type: 'text', parameter_name: 'mes', text: 'maio' }] },
        {
          type: 'body',
          parameters: [
            { type: 'text', parameter_name: 'nome', text: 'Ana Souza' },
            { type: 'text', parameter_name: 'valor', text: 'R$ 1' },
          ],
        },
        { type: 'button', sub_type: 'url', index: 1, parameters: [{ type: 'text', text: 'x9' }] },
      ],
    })
  })

  it('with a file or a code is filled too, and one with cards or a code of ours is not for hands', () => {
    const picture = {
      ...bill,
      components: [
        { type: 'HEADER', format: 'IMAGE' },
        { type: 'BODY', text: 'Oferta' },
        { type: 'BUTTONS', buttons: [{ type: 'COPY_CODE', example: 'DEZ' }] },
      ],
    }
    const form = formOf(picture)
    expect(messageOf(picture, form, { file: 'm1', 'button.0': 'VINTE' })).toMatchObject({
      components: [
        { type: 'header', parameters: [{ type: 'image', image: { id: 'm1' } }] },
        { sub_type: 'copy_code', index: 0, parameters: [{ coupon_code: 'VINTE' }] },
      ],
    })
    expect(formOf({ components: [{ type: 'CAROUSEL', cards: [] }] }).isBeyond).toBe(true)
    expect(formOf({ components: [{ type: 'BUTTONS', buttons: [{ type: 'OTP' }] }] }).isBeyond).toBe(true)
  })
})

describe('a voice message', () => {
  /** WebM as a browser records it: lengths of segment and cluster unknown. */
  const element = (id: number[], data: number[], isLive = false) =>
    isLive
      ? [...id, 0x01, 255, 255, 255, 255, 255, 255, 255, ...data]
      : [...id, 0x40 | (data.length >> 8), data.length & 255, ...data]
  const text = (words: string) => [...new TextEncoder().encode(words)]
  const head = [...text('OpusHead'), 1, 2, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]
  const block = (...sound: number[]) => element([0xa3], [0x81, 0, 0, 0x80, ...sound])
  const packets = [
    [0x78, 1, 2],
    [0x78, ...Array(300).fill(7)],
    [0x79, 3],
  ]
  const cluster = (sounds: number[][]) =>
    element([0x1f, 0x43, 0xb6, 0x75], [...element([0xe7], [0]), ...sounds.flatMap((one) => block(...one))], true)
  const webm = Uint8Array.from([
    ...element([0x1a, 0x45, 0xdf, 0xa3], [0x42, 0x86, 0x81, 1]),
    ...element(
      [0x18, 0x53, 0x80, 0x67],
      [
        ...element([0x16, 0x54, 0xae, 0x6b], element([0xae], element([0x63, 0xa2], head))),
        ...cluster(packets.slice(0, 2)),
        ...cluster(packets.slice(2)),
      ],
      true,
    ),
  ])

  it('is the same sound in Ogg with one channel, in order, with its length', () => {
    const ogg = oggFromWebm(webm)
    const pages: { mark: number; position: bigint; body: number[] }[] = []
    for (let at = 0; at < ogg.length; ) {
      expect(new TextDecoder().decode(ogg.subarray(at, at + 4))).toBe('OggS')
      const lacing = [...ogg.subarray(at + 27, at + 27 + (ogg[at + 26] ?? 0))]
      const begin = at + 27 + lacing.length
      const end = begin + lacing.reduce((sum, one) => sum + one, 0)
      const position = new DataView(ogg.buffer).getBigUint64(at + 6, true)
      pages.push({ mark: ogg[at + 5] ?? -1, position, body: [...ogg.subarray(begin, end)] })
      at = end
    }
    expect(pages.map((page) => page.mark)).toEqual([2, 0, 4])
    expect(pages[0]?.body.slice(0, 10)).toEqual([...text('OpusHead'), 1, 1])
    expect(new TextDecoder().decode(Uint8Array.from(pages[1]?.body.slice(0, 8) ?? []))).toBe('OpusTags')
    expect(pages[2]?.body).toEqual(packets.flat())
    expect(pages[2]?.position).toBe(BigInt(0x138 + 960 + 960 + 2 * 960)) // what is skipped at the start counts too
  })

  it('counts samples by the first byte, and refuses what is no Opus in WebM', () => {
    expect([[0x78], [0x08], [0x60], [0xe0], [0x7b, 3]].map((one) => samplesOf(Uint8Array.from(one)))).toEqual([
      960, 960, 480, 120, 2880,
    ])
    expect(() => oggFromWebm(Uint8Array.from(element([0x1a, 0x45, 0xdf, 0xa3], [1])))).toThrow()
  })
})

describe('what is offered while one writes', () => {
  it('is asked for by a mark at the beginning of a word', () => {
    expect(asked('/boas', '/')).toEqual({ word: 'boas', at: 0 })
    expect(asked('ou /boas', '/')).toBeNull()
    expect(asked('/boas vindas', '/')).toBeNull()
    expect(asked('veja @Bia So', '@')).toEqual({ word: 'Bia So', at: 5 })
    expect(asked('ana@x.com', '@')).toBeNull()
  })

  it('is found without accents, beginnings first', () => {
    const all = ['não-sei', 'saudacao', 'a-nao']
    expect(matches(all, (one) => [one], 'nao')).toEqual(['não-sei', 'a-nao'])
  })
})

describe('files', () => {
  it('are judged by type and size before they leave', () => {
    expect(judge({ type: 'image/png', size: 10 })).toEqual({ kind: 'image' })
    expect(judge({ type: 'audio/ogg; codecs=opus', size: 10 })).toEqual({ kind: 'audio' })
    expect(judge({ type: 'image/png', size: 6e6 })).toEqual({ refused: 'size', most: 5 * 1024 * 1024 })
    expect(judge({ type: 'application/x-sh', size: 1 })).toMatchObject({ refused: 'type' })
  })

  it('become messages of their kind, with words where the kind takes some', () => {
    const file = (kind: DraftFile['kind'], more: Partial<DraftFile> = {}): DraftFile => ({
      file: new File(['x'], 'a.pdf'),
      kind,
      isVoice: false,
      url: '',
      share: 1,
      mediaId: 'm1',
      ...more,
    })
    expect(bodyOf({ text: 'veja' }, file('document'))).toEqual({
      type: 'document',
      document: { id: 'm1', caption: 'veja', filename: 'a.pdf' },
    })
    expect(bodyOf({ text: 'veja' }, file('audio', { isVoice: true }))).toEqual({
      type: 'audio',
      audio: { id: 'm1', voice: true },
    })
    expect(bodyOf({ text: 'veja' })).toMatchObject({ type: 'text', text: 'veja' })
  })
})

describe('what comes in', () => {
  it('is news for who has the conversation, once', () => {
    const mine = conversation('1', { agent_id: 'me', state: 'assigned', last_customer_message_at: 't1' })
    expect(newsOf(undefined, mine, 'me')).toBe('assigned')
    expect(newsOf(conversation('1'), mine, 'me')).toBe('assigned')
    expect(newsOf(mine, mine, 'me')).toBeNull()
    const wrote = { ...mine, last_customer_message_at: 't2', unanswered_since: 't2' }
    expect(newsOf(mine, wrote, 'me')).toBe('wrote')
    expect(newsOf(mine, wrote, 'other')).toBeNull()
    expect(newsOf(mine, { ...wrote, state: 'closed' }, 'me')).toBeNull()
  })
})

describe('a search', () => {
  const nothing = { protocol: null, phone: null, cpf: null, name: null }

  it('knows a protocol, a phone and a name when it sees one', () => {
    expect(kindsOf('2026.1126-00001234')).toEqual({ ...nothing, protocol: '2026112600001234' })
    expect(kindsOf('(11) 98765-4321')).toEqual({ ...nothing, phone: '(11) 98765-4321' })
    expect(kindsOf('souza')).toEqual({ ...nothing, name: 'souza' })
    expect(kindsOf('"segunda via" -boleto')).toEqual(nothing)
  })

  it('knows a CPF by its last digits, and takes one without dots for a phone too', () => {
    expect(kindsOf('529.982.247-25')).toEqual({ ...nothing, cpf: '52998224725' })
    expect(kindsOf('52998224725')).toEqual({ ...nothing, phone: '52998224725', cpf: '52998224725' })
    expect(kindsOf('529.982.247-26').cpf).toBeNull()
    expect(kindsOf('111.111.111-11').cpf).toBeNull()
  })
})

describe('a field of date and time', () => {
  it('is on the clock of the operator, both ways', () => {
    expect(toField(new Date('2026-11-26T02:30:00Z'))).toBe('2026-11-25T23:30')
    expect(fromField('2026-11-25T23:30')).toBe('2026-11-26T02:30:00.000Z')
    expect(fromField('2018-12-01T12:00')).toBe('2018-12-01T14:00:00.000Z') // summer time, when Brazil had it
  })
})
