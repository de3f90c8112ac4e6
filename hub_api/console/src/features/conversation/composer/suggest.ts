/** What is offered while one writes: canned replies after `/`, colleagues after `@`. Pure. */

/** The word that asks for something, and where it begins; null: nothing is asked for. */
export function asked(text: string, mark: '/' | '@'): { word: string; at: number } | null {
  const at = mark === '/' ? (text.startsWith('/') ? 0 : -1) : text.lastIndexOf('@')
  if (at < 0 || (at > 0 && !/\s/.test(text[at - 1] ?? ''))) return null
  const word = text.slice(at + 1)
  return word.includes('\n') || word.length > 40 || (mark === '/' && /\s/.test(word)) ? null : { word, at }
}

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/** Those that begin so come first, then those that have it anywhere; `most` of them. */
export function matches<T>(all: T[], names: (one: T) => string[], word: string, most = 8): T[] {
  const wanted = plain(word)
  const scored = all.flatMap((one) => {
    const places = names(one).map((name) => plain(name).indexOf(wanted))
    const found = places.filter((place) => place >= 0)
    return found.length > 0 ? [{ one, score: found.includes(0) ? 0 : 1 }] : []
  })
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, most)
    .map(({ one }) => one)
}
