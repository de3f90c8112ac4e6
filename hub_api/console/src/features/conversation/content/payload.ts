/**
 * A message's payload, read with care: what came in is `detail` (hub_api/whatsapp/inbound.py), what went out is the object of the
 * send call under its type. Both are JSON of another program, so nothing is believed to be there.
 */
import type { Message } from '../../../api/types'

export type Json = Record<string, unknown>

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : []
}

export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** What the message carries: the detail of one that came, the body of one that went. */
export function carried(message: Message): Json {
  const payload = object(message.payload)
  return message.direction === 'in' ? object(payload.detail) : object(payload[message.type])
}

/** An address that may be opened from here; null for any other scheme. */
export function webAddress(value: unknown): string | null {
  const written = text(value)
  return written && /^https?:\/\//i.test(written) ? written : null
}

export interface Choice {
  title: string
  description: string | null
}

/** What an interactive message offers to tap: buttons, and the rows of a list by section. */
export interface Offered {
  header: string | null
  body: string | null
  footer: string | null
  buttons: string[]
  /** A button that opens a page. */
  link: { title: string; url: string | null } | null
  /** The button that opens a list, and its rows. */
  menu: { title: string; sections: { title: string | null; rows: Choice[] }[] } | null
}

/** An interactive message of ours as the phone shows it (channel document §3.2). */
export function offered(body: Json): Offered {
  const action = object(body.action)
  const parameters = object(action.parameters)
  const name = text(action.name)
  const shown: Offered = {
    header: text(object(body.header).text),
    body: text(object(body.body).text),
    footer: text(object(body.footer).text),
    buttons: list(action.buttons).flatMap((one) => text(object(one.reply).title) ?? []),
    link: null,
    menu: null,
  }
  if (name === 'cta_url') shown.link = { title: text(parameters.display_text) ?? '', url: webAddress(parameters.url) }
  if (name === 'flow') shown.buttons.push(text(parameters.flow_cta) ?? '')
  const opener = text(action.button)
  if (opener) {
    const sections = list(action.sections).map((section) => ({
      title: text(section.title),
      rows: list(section.rows).map((row) => ({ title: text(row.title) ?? '', description: text(row.description) })),
    }))
    shown.menu = { title: opener, sections }
  }
  return shown
}
