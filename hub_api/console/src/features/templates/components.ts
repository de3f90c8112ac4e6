/** The parts of a template as Meta has them, from the few fields that people fill in, and back. */

type Part = Record<string, unknown>

export interface Draft {
  header: string
  body: string
  footer: string
  /** An example for each {{1}}, {{2}}… of the body, in order. */
  examples: string[]
}

/** The text of the body, empty without one. */
export function bodyOf(components: Part[]): string {
  return textOf(components, 'BODY')
}

function textOf(components: Part[], type: string): string {
  const found = components.find((one) => String(one.type).toUpperCase() === type)
  return typeof found?.text === 'string' ? found.text : ''
}

/** What the form shows of a template; examples are those of its body. */
export function draftOf(components: Part[]): Draft {
  const body = components.find((one) => String(one.type).toUpperCase() === 'BODY')
  const example = body?.example as { body_text?: string[][] } | undefined
  return {
    header: textOf(components, 'HEADER'),
    body: textOf(components, 'BODY'),
    footer: textOf(components, 'FOOTER'),
    examples: example?.body_text?.[0] ?? [],
  }
}

/** How many places a text has: the highest of {{1}}, {{2}}… */
export function places(text: string): number {
  return Math.max(0, ...[...text.matchAll(/\{\{(\d+)\}\}/g)].map((found) => Number(found[1])))
}

/**
 * The parts that the API wants. Parts that the form does not show (buttons, a header with a picture, a carousel) stay as they
 * are in `before`.
 */
export function componentsOf(draft: Draft, before: Part[] = []): Part[] {
  const count = places(draft.body)
  const others = before.filter((one) => {
    const type = String(one.type).toUpperCase()
    if (type === 'BODY' || type === 'FOOTER') return false
    return type !== 'HEADER' || String(one.format ?? 'TEXT').toUpperCase() !== 'TEXT'
  })
  const isHeader = (one: Part) => String(one.type).toUpperCase() === 'HEADER'
  const header = draft.header.trim() ? [{ type: 'HEADER', format: 'TEXT', text: draft.header.trim() }] : []
  const example = count ? { example: { body_text: [draft.examples.slice(0, count)] } } : {}
  const footer = draft.footer.trim() ? [{ type: 'FOOTER', text: draft.footer.trim() }] : []
  return [
    ...(header.length ? header : others.filter(isHeader)),
    { type: 'BODY', text: draft.body.trim(), ...example },
    ...footer,
    ...others.filter((one) => !isHeader(one)),
  ]
}
