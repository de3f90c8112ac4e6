/**
 * Rows of a list from one drawing to the next. One that has not changed stays untouched: it keeps its focus and its picture, and no
 * screen reader reads it again when something is written below it.
 */
interface Row {
  key: string
  /** What it shows: made anew only when this has changed. */
  of: unknown
  make: () => HTMLLIElement
}

interface Kept {
  of: string
  element: HTMLLIElement
}

export class Rows {
  private kept = new Map<string, Kept>()

  constructor(private readonly list: HTMLElement) {}

  /** Have these in the list, in their order, and nothing else. */
  show(rows: Row[]): void {
    const kept = new Map<string, Kept>()
    for (const { key, of, make } of rows) {
      const told = JSON.stringify(of)
      const before = this.kept.get(key)
      kept.set(key, before?.of === told ? before : { of: told, element: make() })
    }
    this.kept = kept
    const elements = [...kept.values()].map((one) => one.element)
    const staying = new Set<Element>(elements)
    for (const old of [...this.list.children]) if (!staying.has(old)) old.remove()
    elements.forEach((element, at) => {
      const there = this.list.children[at]
      if (there !== element) this.list.insertBefore(element, there ?? null)
    })
  }
}
