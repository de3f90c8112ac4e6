import { expect, it } from 'vitest'
import { narrowedOf, searchAddress } from '../src/features/search/Narrow'

it('keeps what narrows a search in the address, and takes nothing else from it', () => {
  const narrowed = { author: 'agent', days: 30, queue: 'vendas & pós' } as const
  const address = searchAddress('sem sinal', narrowed)
  const asked = new URLSearchParams(address.split('?')[1])
  expect(asked.get('q')).toBe('sem sinal')
  expect(narrowedOf(asked)).toEqual(narrowed)
  expect(searchAddress('x', { author: null, days: null, queue: null })).toBe('/search?q=x')
  const foreign = new URLSearchParams('author=root&days=-1&queue=')
  expect(narrowedOf(foreign)).toEqual({ author: null, days: null, queue: null })
})
