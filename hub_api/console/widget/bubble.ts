/** One message as the visitor sees it. */
import type { Connection } from './connection'
import { h } from './dom'
import { type FileShown, type Message, type Pending, pieces } from './frames'
import type { Words } from './words'

/** The row of a message of the hub's. */
export function bubble(one: Message, words: Words, connection: Connection, language: string): HTMLLIElement {
  const mine = one.from === 'visitor'
  const who = mine ? words.you : one.from === 'bot' ? words.bot : (one.name ?? words.agent)
  const isBig = one.kind === 'reaction'
  const text = one.text ?? (one.files?.length ? null : words.deleted)
  return h(
    'li',
    { class: `one${mine ? ' mine' : ''}${isBig ? ' big' : ''}` },
    h('span', { class: mine ? 'quiet' : 'who' }, who),
    ...(one.files ?? []).map((file) => shownFile(file, words, connection)),
    ...(text === null ? [] : formatted(text)),
    one.link
      ? h(
          'a',
          { href: one.link.url, target: '_blank', rel: 'noopener noreferrer' },
          ` ${one.link.title ?? one.link.url}`,
        )
      : null,
    h('time', { class: 'when', datetime: one.at }, clock(one.at, language)),
  )
}

/** The row of what the hub has not confirmed. */
export function waiting(one: Pending, words: Words, again: () => void): HTMLLIElement {
  const reason =
    one.problem === 'too_many_requests' ? words.wait : one.problem === 'closed' ? words.closedNow : words.failed
  return h(
    'li',
    { class: 'one mine' },
    h('span', { class: 'quiet' }, words.you),
    one.text,
    one.problem
      ? h('span', { class: 'when bad' }, `${reason} `, h('button', { type: 'button', onclick: again }, words.retry))
      : h('span', { class: 'when' }, words.sending),
  )
}

function formatted(text: string): (Node | string)[] {
  return pieces(text).map((piece) => {
    if (piece.kind === 'text') return piece.text
    if (piece.kind === 'strong') return h('strong', {}, piece.text)
    return h('a', { href: piece.text, target: '_blank', rel: 'noopener noreferrer' }, piece.text)
  })
}

function shownFile(file: FileShown, words: Words, connection: Connection): HTMLElement {
  const name = file.name ?? words.file
  if (file.kind !== 'image' || file.state !== 'stored') {
    const size = file.size ? ` (${Math.max(1, Math.round(file.size / 1024))} KB)` : ''
    return h(
      'button',
      { type: 'button', class: 'file', onclick: () => void save(connection, file) },
      words.download(name + size),
    )
  }
  return h('img', { alt: file.name ?? words.image, 'data-file': file.id })
}

/** Load the pictures that are not there yet; one that failed is asked for again. */
export function loadPictures(list: HTMLElement, connection: Connection): void {
  for (const image of list.querySelectorAll<HTMLImageElement>('img:not([src])')) {
    void address(connection, image.dataset.file as string).then((url) => {
      if (url) image.src = url
    })
  }
}

const addresses = new Map<string, Promise<string | null>>()

function address(connection: Connection, id: string): Promise<string | null> {
  let known = addresses.get(id)
  if (!known) {
    known = connection.download(id).then(URL.createObjectURL, () => {
      addresses.delete(id) // asked for again at the next drawing
      return null
    })
    addresses.set(id, known)
  }
  return known
}

async function save(connection: Connection, file: FileShown): Promise<void> {
  const url = await address(connection, file.id)
  if (url) h('a', { href: url, download: file.name ?? 'arquivo' }).click()
}

function clock(at: string, language: string): string {
  const time = new Date(at)
  const today = time.toDateString() === new Date().toDateString()
  const day = today ? {} : ({ day: '2-digit', month: '2-digit' } as const)
  return time.toLocaleString(language, { ...day, hour: '2-digit', minute: '2-digit' })
}
