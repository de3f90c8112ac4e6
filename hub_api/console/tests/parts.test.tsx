// Pages of administration in parts: whoever may see some of them finds those, and a way to each.
import { render } from '@testing-library/react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Route, Router } from 'wouter'
import { memoryLocation } from 'wouter/memory-location'
import { PartsPage } from '../src/shared/admin/PartsPage'

let permissions: string[] = []
vi.mock('../src/app/session', () => ({ useMe: () => ({ permissions }) }))

const PARTS = [
  { key: 'a', permission: 'a:read', Part: () => <p>part a</p> },
  { key: 'b', permission: 'b:read', Part: () => <p>part b</p> },
  { key: 'c', permission: 'c:read', Part: () => <p>part c</p> },
] as const

function shown(path: string) {
  const { hook } = memoryLocation({ path })
  return render(
    <Router hook={hook}>
      <Route path="/x/:part?">
        <PartsPage title="X" base="/x" parts={PARTS} labelOf={(key) => `tab ${key}`} />
      </Route>
    </Router>,
  ).container
}

afterEach(() => {
  document.body.innerHTML = ''
})

describe('a page in parts', () => {
  it('shows the part that the address names, and tabs to those that one may see', () => {
    permissions = ['b:read', 'c:read']
    const page = shown('/x/c')
    expect(page.querySelector('p')?.textContent).toBe('part c')
    const tabs = [...page.querySelectorAll('[role=tab]')]
    expect(tabs.map((one) => [one.textContent, one.getAttribute('href'), one.getAttribute('aria-selected')])).toEqual([
      ['tab b', '/x/b', 'false'],
      ['tab c', '/x/c', 'true'],
    ])
  })

  it('shows the first one where the address names none that one may see, without tabs where it is the only one', () => {
    permissions = ['b:read', 'c:read']
    for (const path of ['/x', '/x/a', '/x/z']) expect(shown(path).querySelector('p')?.textContent).toBe('part b')
    permissions = ['c:read']
    const page = shown('/x')
    expect(page.querySelector('p')?.textContent).toBe('part c')
    expect(page.querySelector('[role=tab]')).toBeNull()
  })

  it('is empty for who may see no part', () => {
    permissions = []
    expect(shown('/x').textContent).toBe('')
  })
})
