import { render } from '@testing-library/react'
import i18next from 'i18next'
import { afterEach, describe, expect, it } from 'vitest'
import { startLanguage } from '../src/app/i18n'
import { deedOf, SHORTCUTS } from '../src/app/shortcuts'
import { offered, webAddress } from '../src/features/conversation/content/payload'
import { FormattedText } from '../src/features/conversation/FormattedText'
import { isWindowOpen } from '../src/features/conversation/WindowCountdown'
import portuguese from '../src/locales/pt-BR/common.json'
import {
  dayOf,
  duration,
  initials,
  languageName,
  millisecondsOf,
  money,
  openingHours,
  phoneNumber,
  shortly,
  size,
  time,
} from '../src/shared/format'
import { tookOf } from '../src/shared/since'
import { channelWords } from '../src/shared/words'

afterEach(() => {
  document.body.innerHTML = ''
})

const files = import.meta.glob<object>('../src/locales/*/*.json', { eager: true, import: 'default' })

function leaves(tree: object, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([name, value]) =>
    typeof value === 'string' ? [[path + name, value] as [string, string]] : leaves(value as object, `${path}${name}.`),
  )
}

describe('the languages', () => {
  it('have the same texts with the same places in them, and none is empty', () => {
    const places = (text: string) => (text.match(/{{.+?}}/g) ?? []).sort().join()
    const names = Object.keys(files).filter((path) => path.includes('/pt-BR/'))
    expect(names.length * 2).toBe(Object.keys(files).length)
    for (const name of names) {
      const pt = new Map(leaves(files[name] ?? {}))
      const en = new Map(leaves(files[name.replace('/pt-BR/', '/en/')] ?? {}))
      expect([...en.keys()].sort(), name).toEqual([...pt.keys()].sort())
      for (const [key, text] of pt) {
        expect(text.trim(), key).not.toBe('')
        expect(places(en.get(key) ?? ''), key).toBe(places(text))
      }
    }
  })

  it('write counts as numbers, in each plural of Portuguese', async () => {
    for (const [name, words] of Object.entries(files)) {
      const texts = leaves(words)
      const keys = new Set(texts.map(([key]) => key))
      for (const [key, text] of texts) {
        expect(text, `${name} ${key}`).not.toContain('{{count}}')
        const plural = key.match(/^(.+)_(one|other|many)$/)?.[1]
        if (plural) for (const form of ['one', 'other', 'many']) expect(keys, name).toContain(`${plural}_${form}`)
      }
    }
    await startLanguage()
    expect(i18next.t('conversation.unseen', { count: 1234 })).toBe('1.234 mensagens novas')
  })

  it('say why the channel refused, by its code or in its own words', async () => {
    await startLanguage()
    expect(channelWords(131026, 'Message undeliverable', i18next.t)).toContain('não alcançável')
    expect(channelWords(999, 'Something new', i18next.t)).toBe('Something new')
  })

  it('name every shortcut', () => {
    for (const { does } of SHORTCUTS) expect(portuguese.shortcuts[does]).toBeTruthy()
    expect(new Set(SHORTCUTS.map((one) => one.keys)).size).toBe(SHORTCUTS.length)
  })
})

describe('times and amounts', () => {
  it('are those of São Paulo, in the language of the page', () => {
    const at = '2026-11-26T02:30:00Z'
    expect([time(at, 'pt-BR'), dayOf(at)]).toEqual(['23:30', '2026-11-25'])
    expect(shortly(at, 'pt-BR', new Date('2026-11-26T02:59:00Z'))).toBe('23:30')
    expect(shortly(at, 'pt-BR', new Date('2026-11-26T03:01:00Z'))).toBe('25/11')
    expect(shortly(at, 'en', new Date('2026-11-26T03:01:00Z'))).toBe('11/25')
    expect(duration(59_000, 'pt-BR')).toBe('0 min')
    expect(duration(125 * 60_000, 'en')).toBe('2 hr 5 min')
    expect(duration(50 * 3_600_000, 'pt-BR')).toBe('2 dias')
    expect(duration(-5, 'en')).toBe('0 min')
    const told = ['PT42S', 'PT1M2.5S', 'PT3H20M', 'P1DT2H', 'PT0S', 'PT0.4S'].map((one) =>
      tookOf(millisecondsOf(one), 'pt-BR'),
    )
    expect(told).toEqual(['0:42', '1:02', '3 h 20 min', '1 dia', '0:00', '< 1 s'])
    expect(size(48_213, 'pt-BR')).toBe('48 kB')
    expect(money(79.9, 'BRL', 'pt-BR').replace(/\s/, ' ')).toBe('R$ 79,90')
    expect(openingHours('1-5 08:00-20:00, 6 08:00-14:00', 'pt-BR')).toBe('seg.–sex. 08:00–20:00, sáb. 08:00–14:00')
    expect([languageName('pt_BR', 'pt-BR'), languageName('?', 'pt-BR')]).toEqual(['português (Brasil)', '?'])
    expect(openingHours('sempre', 'pt-BR')).toBe('sempre')
    expect([phoneNumber('551130001000'), phoneNumber('+12025550123')]).toEqual(['+55 11 3000-1000', '+12025550123'])
    expect([initials('Ana Maria Souza'), initials('ana'), initials('')]).toEqual(['AS', 'A', ''])
    expect([isWindowOpen(null, 0), isWindowOpen(at, Date.parse(at) - 1), isWindowOpen(at, Date.parse(at))]).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe('words of customers', () => {
  it('are shown with WhatsApp’s marks and never as markup', () => {
    const { container } = render(
      <FormattedText text={'*oi* <img src=x onerror=alert(1)> 2*3*4 https://a.example/b?c=1. _`x`_'} />,
    )
    expect(container.querySelector('img')).toBeNull()
    expect(container.querySelector('strong')?.textContent).toBe('oi')
    expect(container.querySelector('a')?.getAttribute('href')).toBe('https://a.example/b?c=1')
    expect(container.querySelector('a')?.getAttribute('rel')).toContain('noopener')
    expect(container.textContent).toContain('<img src=x onerror=alert(1)>')
  })

  it('lead to no address but a page', () => {
    expect(webAddress('javascript:alert(1)')).toBeNull()
    expect(webAddress('https://a.example')).toBe('https://a.example')
  })
})

describe('an interactive message', () => {
  it('offers what the phone shows, whatever is missing', () => {
    const rows = [{ id: 'a', title: 'Fibra 300', description: 'R$ 79,90' }, { id: 'b' }]
    const shown = offered({ body: { text: 'Escolha' }, action: { button: 'Ver', sections: [{ rows }, 'broken'] } })
    expect(shown.menu?.sections[0]?.rows[0]).toEqual({ title: 'Fibra 300', description: 'R$ 79,90' })
    expect(offered({ action: { buttons: [{ reply: { title: 'Sim' } }, {}, 5] } }).buttons).toEqual(['Sim'])
    const link = offered({
      action: { name: 'cta_url', parameters: { display_text: 'Pagar', url: 'data:text/html,x' } },
    }).link
    expect(link).toEqual({ title: 'Pagar', url: null })
    const form = offered({
      type: 'flow',
      body: { text: 'De 0 a 10?' },
      action: { name: 'flow', parameters: { flow_id: '1', flow_cta: 'Responder' } },
    })
    expect([form.body, form.buttons, form.link]).toEqual(['De 0 a 10?', ['Responder'], null])
    expect(offered({}).body).toBeNull()
  })
})

describe('the keyboard', () => {
  const press = (key: string, target: EventTarget = document.body, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent('keydown', { key, ...more })
    Object.defineProperty(event, 'target', { value: target })
    return event
  }

  it('does nothing while one writes, with a modifier, or under a dialog', () => {
    const field = document.createElement('textarea')
    document.body.append(field)
    expect(deedOf(press('j', field))).toBeNull()
    expect(deedOf(press('j', document.body, { ctrlKey: true }))).toBeNull()
    expect(deedOf(press('j'))).toBe('next')
    const dialog = document.createElement('div')
    dialog.setAttribute('role', 'dialog')
    document.body.append(dialog)
    expect(deedOf(press('j'))).toBeNull()
  })

  it('knows keys pressed one after the other, in time', () => {
    expect(deedOf(press('g'), 1000)).toBeNull()
    expect(deedOf(press('q'), 1500)).toBe('queue')
    expect(deedOf(press('g'), 2000)).toBeNull()
    expect(deedOf(press('a'), 9000)).toBe('take')
  })
})
