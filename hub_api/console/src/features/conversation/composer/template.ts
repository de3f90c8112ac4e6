/** A template and what a person fills in of it; the send call's components follow from that. Pure (channel document §3.4). */
import type { Template } from '../../../api/types'
import { type Json, list, object, text } from '../content/payload'
import type { TemplateBody } from '../outbox'

const VARIABLE = /{{\s*([^{}]*?)\s*}}/g
/** What the channel makes of the button of a one-time code. */
const CODE_ADDRESS = 'https://www.whatsapp.com/otp/'
const FILES = { IMAGE: 'image', VIDEO: 'video', DOCUMENT: 'document' } as const

/** Something to fill: a variable of the header, of the body, the end of a button's address, a code, the header's file. */
export interface Field {
  key: string
  name: string
  example: string
  place: 'header' | 'body' | 'button' | 'code' | 'file'
  index: number
}

export interface Form {
  fields: Field[]
  header: string | null
  file: 'image' | 'video' | 'document' | null
  body: string
  footer: string | null
  buttons: string[]
  /** It wants what nobody fills by hand: cards, an offer's end, a bill, products, a code of ours. */
  isBeyond: boolean
}

export function formOf(template: Pick<Template, 'components'>): Form {
  const parts = new Map(template.components.map((one) => [(text(one.type) ?? '').toUpperCase(), one as Json]))
  const header = parts.get('HEADER')
  const format = (text(header?.format) ?? 'TEXT').toUpperCase()
  const buttons = list(object(parts.get('BUTTONS')).buttons)
  const words = text(object(parts.get('BODY')).text) ?? ''
  const above = header && format === 'TEXT' ? (text(header.text) ?? '') : null
  const file = header && format in FILES ? FILES[format as keyof typeof FILES] : null
  const fields: Field[] = [
    ...(file ? [{ key: 'file', name: file, example: '', place: 'file' as const, index: 0 }] : []),
    ...variables(above ?? '', object(header), 'header'),
    ...variables(words, object(parts.get('BODY')), 'body'),
    ...buttons.flatMap((one, index) => ofButton(one, index)),
  ]
  const kinds = buttons.map((one) => (text(one.type) ?? '').toUpperCase())
  return {
    fields,
    header: above,
    file,
    body: words,
    footer: text(object(parts.get('FOOTER')).text),
    buttons: buttons.map((one) => text(one.text) ?? text(one.type) ?? ''),
    isBeyond:
      parts.has('CAROUSEL') ||
      parts.has('LIMITED_TIME_OFFER') ||
      (header !== undefined && format !== 'TEXT' && !file) ||
      kinds.some((kind) => ['OTP', 'MPM', 'ORDER_DETAILS', 'CATALOG'].includes(kind)) ||
      buttons.some((one) => text(one.url)?.startsWith(CODE_ADDRESS)),
  }
}

function variables(words: string, component: Json, place: 'header' | 'body'): Field[] {
  const names = [...new Set([...words.matchAll(VARIABLE)].map((found) => found[1] ?? ''))]
  const example = object(component.example)
  const named = new Map(list(example[`${place}_text_named_params`]).map((one) => [one.param_name, one.example]))
  const given = example[`${place}_text`]
  const flat: unknown[] = Array.isArray(given) ? (Array.isArray(given[0]) ? given[0] : given) : []
  return names.map((name, index) => ({
    key: `${place}.${name}`,
    name,
    example: text(named.get(name)) ?? text(flat[index]) ?? '',
    place,
    index,
  }))
}

function ofButton(button: Json, index: number): Field[] {
  const kind = (text(button.type) ?? '').toUpperCase()
  const example = Array.isArray(button.example) ? button.example[0] : button.example
  const label = text(button.text) ?? ''
  const url = text(button.url)
  if (kind === 'URL' && url?.match(VARIABLE)) {
    const end = (text(example) ?? '').replace(url.replace(VARIABLE, ''), '')
    return [{ key: `button.${index}`, name: label, example: end, place: 'button', index }]
  }
  if (kind === 'COPY_CODE')
    return [{ key: `button.${index}`, name: label, example: text(example) ?? '', place: 'code', index }]
  return []
}

export type Values = Record<string, string>

/** The text with what is filled in; what is missing stays as it stands. */
export function filled(words: string, place: 'header' | 'body', values: Values): string {
  return words.replace(VARIABLE, (whole, name: string) => values[`${place}.${name}`] || whole)
}

/** What stands in no field yet. */
export function missing(form: Form, values: Values): Field[] {
  return form.fields.filter((field) => !values[field.key]?.trim())
}

/** The message to send. Every field must be filled. */
export function messageOf(
  template: Pick<Template, 'name' | 'language' | 'parameter_format'>,
  form: Form,
  values: Values,
): TemplateBody {
  const isNamed = template.parameter_format === 'NAMED'
  const parameters = (place: 'header' | 'body') =>
    form.fields
      .filter((field) => field.place === place)
      .map((field) => ({
        type: 'text',
        ...(isNamed ? { parameter_name: field.name } : {}),
        text: oneLine(values[field.key] ?? ''),
      }))
  const components: Json[] = []
  const above = form.file ? [{ type: form.file, [form.file]: { id: values.file ?? '' } }] : parameters('header')
  if (above.length > 0) components.push({ type: 'header', parameters: above })
  const body = parameters('body')
  if (body.length > 0) components.push({ type: 'body', parameters: body })
  for (const field of form.fields) {
    const value = oneLine(values[field.key] ?? '')
    if (field.place === 'button')
      components.push({
        type: 'button',
        sub_type: 'url',
        index: field.index,
        parameters: [{ type: 'text', text: value }],
      })
    if (field.place === 'code')
      components.push({
        type: 'button',
        sub_type: 'copy_code',
        index: field.index,
        parameters: [{ type: 'coupon_code', coupon_code: value }],
      })
  }
  return { type: 'template', name: template.name, language: template.language, components } as unknown as TemplateBody
}

/** A variable holds no break of line and no row of spaces: the channel refuses both. */
function oneLine(value: string): string {
  return value.trim().replace(/\s+/g, ' ')
}
