/** Where the hub is, seen from this page. The console lives at `<hub>/console/`, whatever prefix a proxy puts before it. */

export const consoleUrl = new URL('./', document.baseURI)
export const hubUrl = new URL('../', consoleUrl)

/** The path of the console for the router, without its last slash. */
export const consolePath = consoleUrl.pathname.replace(/\/$/, '')

/** A path of the hub, as its API writes it (`/api/v1/…`), as a whole address. */
export function atHub(path: string): string {
  return new URL(path.replace(/^\//, ''), hubUrl).href
}

/** Where the live streams are. */
export function socketUrl(): string {
  return atHub('/ws').replace(/^http/, 'ws')
}
