import { afterEach, expect, test } from 'vitest'
import { startKeepingFocus } from '../src/app/keepFocus'

afterEach(() => {
  document.body.replaceChildren()
})

function opened(): HTMLElement {
  document.body.innerHTML = `<button id="behind"></button>
    <div role="dialog" aria-modal="true" tabindex="-1"><button id="row"></button><button id="other"></button></div>`
  return document.querySelector('[role="dialog"]') as HTMLElement
}

test('a dialog whose focused row is gone has the focus', async () => {
  const dialog = opened()
  const stop = startKeepingFocus()
  const row = document.getElementById('row')
  row?.focus()
  row?.remove()
  await Promise.resolve()
  expect(document.activeElement).toBe(dialog)
  stop()
})

test('a focus that is somewhere stays there', async () => {
  opened()
  const stop = startKeepingFocus()
  document.getElementById('other')?.focus()
  document.getElementById('row')?.remove()
  await Promise.resolve()
  expect(document.activeElement?.id).toBe('other')
  stop()
})
