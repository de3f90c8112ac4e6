// The audit log in words: what was done, by whom, to what; the filters still send codes.
import { fireEvent, render, screen } from '@testing-library/react'
import i18next from 'i18next'
import { useState } from 'react'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { setLanguage, startLanguage, withWords } from '../src/app/i18n'
import { Choice } from '../src/features/audit/Choice'
import { actionCodes, actionWords, actorWords, objectKinds, objectWords, pageOf } from '../src/features/audit/words'

beforeAll(async () => {
  await startLanguage()
  await withWords('admin', withWords('audit', Promise.resolve()))
})
afterEach(() => {
  document.body.innerHTML = ''
})

describe('a row of the audit log', () => {
  it('says what was done in both languages, and shows a code without words as it is', async () => {
    const t = i18next.getFixedT(null, 'audit')
    const told = () => [actionWords(t, 'conversation.resolved'), objectWords(t, 'message'), actionWords(t, 'x.y')]
    expect(told()).toEqual(['Conversa resolvida', 'Mensagem', 'x.y'])
    expect(actionCodes(t)).toContain('agent.presence_changed')
    expect(objectKinds(t)).toContain('whatsapp_number')
    const checked = (count: number) => i18next.t('audit.intact', { ns: 'admin', count, at: 'x', who: 'y' })
    expect([1, 2, 1234].map(checked).map((one) => one.slice(34))).toEqual([
      '1 elo conferido em x (y).',
      '2 elos conferidos em x (y).',
      '1.234 elos conferidos em x (y).',
    ])
    await setLanguage('en')
    expect(told()).toEqual(['Conversation resolved', 'Message', 'x.y'])
    expect([checked(1), checked(2)].map((one) => one.slice(30, 37))).toEqual(['1 link ', '2 links'])
    await setLanguage('pt-BR')
  })

  it('names who did it, or says what it was with the end of its id', () => {
    const t = i18next.getFixedT(null, 'audit')
    const id = '01a21d9d-39cf-7377-a32b-38eb4de6f54f'
    expect(actorWords(t, `key:${id}`, 'ERP')).toBe('ERP')
    expect(actorWords(t, `customer:${id}`, null)).toBe('cliente …4de6f54f')
    expect(actorWords(t, 'system', null)).toBe('o próprio hub')
    expect(actorWords(t, 'simulator:1', null)).toBe('simulator:1')
  })

  it('leads to what it is about, for who may open it', () => {
    const mine = ['conversations:read']
    expect(pageOf('conversation', 'c-1', mine)).toBe('/all/c-1')
    expect([
      pageOf('segment', 's-1', mine),
      pageOf('message', 'm-1', mine),
      pageOf('conversation', null, mine),
    ]).toEqual([null, null, null])
    expect(pageOf('segment', 's-1', ['campaigns:read'])).toBe('/segments/s-1')
  })
})

const NAMES: Record<string, string> = { 'user:1': 'Bia Lima', 'user:2': 'Bia Lima', 'team.created': 'Equipe criada' }

function Searched({ free = false }: { free?: boolean }) {
  const [value, setValue] = useState('')
  const wordsOf = (code: string) => NAMES[code] ?? code
  return (
    <>
      <Choice
        id="x"
        label="X"
        codes={Object.keys(NAMES)}
        wordsOf={wordsOf}
        value={value}
        onChange={setValue}
        free={free}
      />
      <output>{value}</output>
    </>
  )
}

describe('a choice among codes', () => {
  const type = (text: string) => {
    const field = screen.getByRole('combobox')
    fireEvent.focus(field)
    fireEvent.change(field, { target: { value: text } })
    return field
  }
  const chosen = () => document.querySelector('output')?.textContent

  it('finds by words without their accents or by the code, and gives the code', () => {
    for (const text of ['EQUIPE', 'team.cr']) {
      document.body.innerHTML = ''
      render(<Searched />)
      fireEvent.keyDown(type(text), { key: 'Enter' })
      expect(chosen()).toBe('team.created')
    }
  })

  it('keeps which of two namesakes was chosen, and takes what was typed', () => {
    render(<Searched free />)
    const field = type('Bia')
    fireEvent.click(screen.getAllByRole('option')[1] as HTMLElement)
    fireEvent.blur(field)
    expect(chosen()).toBe('user:2')
    fireEvent.blur(type(' key:7 '))
    expect(chosen()).toBe('key:7')
  })
})
