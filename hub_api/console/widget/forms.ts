/** What is asked before and beside the talk: consent, a message outside the hours, the visitor's phone. */
import { h } from './dom'
import type { Welcome } from './frames'
import type { Language, Words } from './words'

/** The text, and the button that agrees to it. */
export function consentForm(welcome: Welcome, words: Words, language: Language, agree: () => void, later: () => void) {
  return h(
    'div',
    { class: 'body' },
    h('h3', {}, words.consent),
    h('p', {}, welcome.consent[language].text),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', class: 'main', onclick: agree }, words.agree),
      h('button', { type: 'button', class: 'second', onclick: later }, words.later),
    ),
  )
}

export interface Left {
  name: string
  phone: string
  email: string
  text: string
}

/** A message outside the hours, with where the answer may go. */
export function offlineForm(
  welcome: Welcome,
  words: Words,
  language: Language,
  isStarted: boolean,
  leave: (left: Left) => void,
) {
  const problem = h('p', { class: 'bad', role: 'alert' })
  const field = (name: keyof Left, label: string, given: Record<string, string | boolean>) =>
    h('label', {}, label, h('input', { name, ...given }))
  const opens = welcome.opens_at
    ? words.opensAt(
        new Date(welcome.opens_at).toLocaleString(language === 'en' ? 'en' : 'pt-BR', {
          weekday: 'long',
          hour: '2-digit',
          minute: '2-digit',
        }),
      )
    : ''
  const form = h(
    'form',
    {
      class: 'body',
      onsubmit: (event) => {
        event.preventDefault()
        const given = Object.fromEntries(new FormData(form)) as unknown as Left
        if (given.phone || given.email) leave(given)
        else problem.textContent = words.oneOf
      },
    },
    h('h3', {}, words.closedNow),
    opens ? h('p', {}, opens) : null,
    field('name', words.name, { required: true, maxlength: '100', autocomplete: 'name' }),
    field('phone', words.phone, { type: 'tel', minlength: '8', maxlength: '30', autocomplete: 'tel' }),
    field('email', words.email, { type: 'email', maxlength: '250', autocomplete: 'email' }),
    h('label', {}, words.message, h('textarea', { name: 'text', required: true, rows: '3', maxlength: '3000' })),
    isStarted ? null : h('p', {}, welcome.consent[language].text),
    isStarted ? null : h('p', {}, words.agreeForm),
    problem,
    h('button', { type: 'submit', class: 'main' }, words.leave),
  )
  return form
}

/** The visitor's phone, then the code that came to it. */
export function phoneForm(
  words: Words,
  sentTo: string | null,
  problem: string | null,
  act: { send(phone: string): void; confirm(code: string): void; cancel(): void },
) {
  const form = h(
    'form',
    {
      class: 'body',
      onsubmit: (event) => {
        event.preventDefault()
        const given = new FormData(form)
        if (sentTo) act.confirm(String(given.get('code')))
        else act.send(String(given.get('phone')))
      },
    },
    h('h3', {}, words.customer),
    h('p', {}, words.verifyText),
    sentTo
      ? h(
          'label',
          {},
          words.code,
          h('input', {
            name: 'code',
            required: true,
            inputmode: 'numeric',
            pattern: '[0-9]{6}',
            autocomplete: 'one-time-code',
          }),
        )
      : h(
          'label',
          {},
          words.phone,
          h('input', {
            name: 'phone',
            type: 'tel',
            required: true,
            minlength: '8',
            maxlength: '30',
            autocomplete: 'tel',
          }),
        ),
    problem ? h('p', { class: 'bad', role: 'alert' }, problem) : null,
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'submit', class: 'main' }, sentTo ? words.confirm : words.sendCode),
      h('button', { type: 'button', class: 'second', onclick: () => act.cancel() }, words.cancel),
    ),
  )
  return form
}
