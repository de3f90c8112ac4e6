/** The tree of a segment while it is edited: what may be done to it. Every function gives another tree and leaves the old one. */

export const GROUPS = ['and', 'or'] as const
export const LEAVES = [
  'attribute', 'known', 'tags', 'behaviour', 'sequence', 'inactivity', 'campaign', 'sentiment', 'kpi', 'geography', 'consent',
  'random', 'segment', 'list',
] as const // biome-ignore format: a list of words

export type Group = (typeof GROUPS)[number]
export type Leaf = (typeof LEAVES)[number]
export type Kind = Group | Leaf

/** What somebody typed or chose: numbers as they were typed, so that nothing half written is lost. */
export type Value = string | string[] | boolean

/** A condition or a group. `not`: it must not hold. `id` is this page's own. */
export interface Node {
  id: string
  kind: Kind
  not: boolean
  of: Node[]
  values: Record<string, Value>
}

export function isGroup(node: Node): boolean {
  return node.kind === 'and' || node.kind === 'or'
}

/** A new node with an id of its own. */
export function node(kind: Kind, values: Record<string, Value> = {}, of: Node[] = []): Node {
  return { id: crypto.randomUUID(), kind, not: false, of, values }
}

export function find(tree: Node, id: string): Node | null {
  if (tree.id === id) return tree
  for (const one of tree.of) {
    const found = find(one, id)
    if (found) return found
  }
  return null
}

export function parentOf(tree: Node, id: string): Node | null {
  if (tree.of.some((one) => one.id === id)) return tree
  for (const one of tree.of) {
    const found = parentOf(one, id)
    if (found) return found
  }
  return null
}

/** The tree with `change` done to the node of this id; itself when there is none. */
export function changed(tree: Node, id: string, change: (node: Node) => Node): Node {
  if (tree.id === id) return change(tree)
  const of = tree.of.map((one) => changed(one, id, change))
  return of.some((one, place) => one !== tree.of[place]) ? { ...tree, of } : tree
}

/** Put a node at the end of a group. */
export function added(tree: Node, group: string, made: Node): Node {
  return changed(tree, group, (one) => ({ ...one, of: [...one.of, made] }))
}

/** Without the node of this id; the root stays. */
export function removed(tree: Node, id: string): Node {
  const parent = parentOf(tree, id)
  if (!parent) return tree
  return changed(tree, parent.id, (one) => ({ ...one, of: one.of.filter((child) => child.id !== id) }))
}

/** One place up (-1) or down (1) in its group; nothing at the ends. */
export function shifted(tree: Node, id: string, by: -1 | 1): Node {
  const parent = parentOf(tree, id)
  const from = parent?.of.findIndex((one) => one.id === id) ?? -1
  const to = from + by
  if (!parent || from < 0 || to < 0 || to >= parent.of.length) return tree
  const of = [...parent.of]
  of.splice(to, 0, ...of.splice(from, 1))
  return changed(tree, parent.id, (one) => ({ ...one, of }))
}

/** Into another group, at its end; nothing when that group is the node itself or inside of it. */
export function moved(tree: Node, id: string, group: string): Node {
  const it = find(tree, id)
  const target = find(tree, group)
  if (!it || !target || !isGroup(target) || it.id === tree.id || find(it, group)) return tree
  return added(removed(tree, id), group, it)
}

/** The node with a group of its own around it. */
export function wrapped(tree: Node, id: string, kind: Group): Node {
  return changed(tree, id, (one) => node(kind, {}, [one]))
}

/** The same once more, behind it, with ids of its own. */
export function doubled(tree: Node, id: string): Node {
  const parent = parentOf(tree, id)
  const it = find(tree, id)
  if (!parent || !it) return tree
  const of = parent.of.flatMap((one) => (one.id === id ? [one, copied(one)] : [one]))
  return changed(tree, parent.id, (one) => ({ ...one, of }))
}

function copied(one: Node): Node {
  return { ...one, id: crypto.randomUUID(), of: one.of.map(copied), values: { ...one.values } }
}

/** Groups into which the node may go: all but the one it is in, itself and those inside of it. */
export function targets(tree: Node, id: string): Node[] {
  const it = find(tree, id)
  const parent = parentOf(tree, id)
  if (!it || !parent) return []
  return groups(tree).filter((one) => one.id !== parent.id && !find(it, one.id))
}

/** All groups, outer ones first. */
export function groups(tree: Node): Node[] {
  return isGroup(tree) ? [tree, ...tree.of.flatMap(groups)] : []
}

/** Conditions in all, groups and negations counted as the hub counts them. */
export function size(tree: Node): number {
  return 1 + (tree.not ? 1 : 0) + tree.of.reduce((sum, one) => sum + size(one), 0)
}

export function depth(tree: Node): number {
  return 1 + (tree.not ? 1 : 0) + Math.max(0, ...tree.of.map(depth))
}
