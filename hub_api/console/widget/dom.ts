/** Elements without a framework. Text goes in as text: no HTML of anybody is ever read. */
type Child = Node | string | null | false | undefined
type Given = Record<string, string | boolean | ((event: Event) => void) | null | undefined>

/** An element with attributes (`on…` are listeners; false and null are left out) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  given: Given = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value) element.setAttribute(key, value)
  }
  for (const child of children) if (child) element.append(child)
  return element
}

const PATHS = {
  chat: 'M21 11.5a8.4 8.4 0 0 1-9 8.4 9 9 0 0 1-3.7-.8L3 21l1.9-5a8.4 8.4 0 0 1-.9-4.5 8.5 8.5 0 0 1 17 0z',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-8-6 16-3-7z',
  clip: 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14.5 7',
}

/** A drawing that says nothing to a screen reader: the button around it has words. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  const path = document.createElementNS(space, 'path')
  path.setAttribute('d', PATHS[name])
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24',
    'aria-hidden': 'true',
    width: '24',
    height: '24',
  })) {
    svg.setAttribute(key, value)
  }
  svg.append(path)
  return svg
}
