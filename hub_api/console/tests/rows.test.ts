import { beforeEach, describe, expect, it } from 'vitest'
import { Rows } from '../widget/rows'

let list: HTMLElement
let rows: Rows
let made: string[]

beforeEach(() => {
  list = document.createElement('ul')
  document.body.replaceChildren(list)
  rows = new Rows(list)
  made = []
})

function show(...wanted: [key: string, text: string][]): void {
  rows.show(
    wanted.map(([key, text]) => ({
      key,
      of: text,
      make: () => {
        made.push(text)
        const row = document.createElement('li')
        const button = document.createElement('button')
        button.append(text)
        row.append(button)
        return row
      },
    })),
  )
}

const shown = () => [...list.children].map((one) => one.textContent)
const button = (at: number) => list.children[at]?.firstElementChild as HTMLButtonElement

describe('rows of a list', () => {
  it('are made once, and anew only when they show something else', () => {
    show(['a', 'um'], ['b', 'dois'])
    show(['a', 'um'], ['b', 'corrigido'], ['c', 'três'])
    expect(shown()).toEqual(['um', 'corrigido', 'três'])
    expect(made).toEqual(['um', 'dois', 'corrigido', 'três'])
  })

  it('keep the focus when something comes before or after them, or goes', () => {
    show(['a', 'um'], ['b', 'dois'], ['waiting', 'enviando'])
    button(1).focus()
    show(['0', 'antes'], ['b', 'dois'], ['c', 'enviado'])
    expect(shown()).toEqual(['antes', 'dois', 'enviado'])
    expect(document.activeElement).toBe(button(1))
  })

  it('stand in the order that is wanted, each once', () => {
    show(['a', 'um'], ['b', 'dois'], ['c', 'três'])
    show(['c', 'três'], ['a', 'um'])
    expect(shown()).toEqual(['três', 'um'])
    show()
    expect(shown()).toEqual([])
    show(['a', 'um'])
    expect(made).toEqual(['um', 'dois', 'três', 'um'])
  })
})
