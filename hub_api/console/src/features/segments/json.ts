/** A segment's tree as the hub has it, and as it is edited; and which condition the hub means by a path such as `definition.of[1].op`. */
import { FIELDS, type FieldOf } from './fields'
import { isGroup, type Kind, LEAVES, type Leaf, type Node, node, type Value } from './tree'

type Json = Record<string, unknown>

/** What the hub has, for editing; a definition that is no group gets one around it. Raises for a kind that is not known here. */
export function fromJson(definition: Json): Node {
  const read = readNode(definition)
  return isGroup(read) && !read.not ? read : node('and', {}, [read])
}

function readNode(json: Json): Node {
  if (json.type === 'not') {
    const inner = readNode(json.of as Json)
    return { ...inner, not: !inner.not }
  }
  const kind = json.type as Kind
  if (kind === 'and' || kind === 'or') return node(kind, {}, (json.of as Json[]).map(readNode))
  if (!LEAVES.includes(kind)) throw new Error(`unknown condition: ${String(json.type)}`)
  const values: Record<string, Value> = {}
  for (const field of FIELDS[kind]) {
    const found = field.name.split('.').reduce<unknown>((at, name) => (at as Json | undefined)?.[name], json)
    if (found !== undefined) values[field.name] = typeof found === 'number' ? String(found) : (found as Value)
    else if (field.name === 'never') values.never = true
  }
  return node(kind, values)
}

/** What the hub is sent. */
export function toJson(tree: Node): Json {
  const plain = isGroup(tree) ? { type: tree.kind, of: tree.of.map(toJson) } : { type: tree.kind, ...members(tree) }
  return tree.not ? { type: 'not', of: plain } : plain
}

function members(leaf: Node): Json {
  const written: Json = {}
  for (const field of FIELDS[leaf.kind as Leaf]) {
    const value = read(field, leaf.values[field.name])
    if (value === undefined) continue
    const names = field.name.split('.')
    const last = names.pop() as string
    const at = names.reduce<Json>((outer, name) => {
      outer[name] ??= {}
      return outer[name] as Json
    }, written)
    at[last] = value
  }
  return written
}

/** A typed value as JSON; undefined is left out, and the hub says what is missing. */
function read(field: FieldOf, value: Value | undefined): unknown {
  if (Array.isArray(value)) return value.length || !field.optional ? value : undefined
  if (typeof value === 'boolean') return value
  if (value === undefined || value.trim() === '') return undefined
  if (field.as !== 'number' && field.as !== 'whole') return value.trim()
  return numberOf(value) ?? value
}

/** `1.234,5` and `1234.5` are both numbers; null for what is none. */
export function numberOf(typed: string): number | null {
  const plain = typed.trim().replace(/\s/g, '')
  const written = plain.includes(',') ? plain.replace(/\./g, '').replace(',', '.') : plain
  return /^-?\d+(\.\d+)?$/.test(written) ? Number(written) : null
}

/** Fields that still want something, by the id of their condition; an empty group wants a condition (`of`). */
export function wanting(tree: Node): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const look = (one: Node) => {
    if (isGroup(one)) {
      if (one.of.length === 0) found.set(one.id, ['of'])
      one.of.forEach(look)
      return
    }
    const missing = FIELDS[one.kind as Leaf].filter((field) => !field.optional && isEmpty(one.values[field.name]))
    if (missing.length)
      found.set(
        one.id,
        missing.map((field) => field.name),
      )
  }
  look(tree)
  return found
}

function isEmpty(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return false
  return value === undefined || (Array.isArray(value) ? value.length === 0 : value.trim() === '')
}

export interface Fault {
  field: string
  message: string
}

/** Faults that the hub found (`definition.of[0].op`), by the id of the condition at which they stand, each with its field. */
export function faultsById(tree: Node, faults: Fault[]): Map<string, Fault[]> {
  const found = new Map<string, Fault[]>()
  for (const { field, message } of faults) {
    const path = field.replace(/^(body\.)?definition/, '')
    const [id, rest] = place(tree, path)
    found.set(id, [...(found.get(id) ?? []), { field: rest, message }])
  }
  return found
}

function place(tree: Node, path: string): [id: string, field: string] {
  const inside = tree.not ? path.replace(/^\.of(?=\.|$)/, '') : path
  const step = isGroup(tree) ? /^\.of\[(\d+)\](.*)$/.exec(inside) : null
  const child = step ? tree.of[Number(step[1])] : undefined
  if (child && step) return place(child, step[2] ?? '')
  return [tree.id, inside.replace(/^\./, '').replace(/\[\d+\]$/, '')]
}
