/**
 * The chat that a website embeds: `<script src="https://hub/widget.js" data-key="…" async></script>`.
 *
 * Further attributes: `data-lang` (pt or en), `data-scheme` (light or dark; else what the visitor prefers), and of the website's user,
 * signed by its server: `data-user-id`, `data-user-signature`, `data-user-name`. A page that signs people in later uses `HubChat`.
 */
import type { Identity } from './connection'
import { View } from './view'
import { languageOf } from './words'

const script = document.currentScript as HTMLScriptElement | null

function identityOf(given: DOMStringMap): Identity | null {
  const { userId: id, userSignature: signature, userName: name } = given
  return id && signature ? { id, signature, ...(name ? { name } : {}) } : null
}

function start(source: HTMLScriptElement, key: string): void {
  const language = source.dataset.lang ?? (document.documentElement.lang || navigator.language)
  const { scheme } = source.dataset
  const view = new View(new URL('.', source.src), key, languageOf(language), identityOf(source.dataset), scheme)
  const control = {
    open: () => view.open(),
    /** The website's user signed in: who he is, as the website's server signed it. */
    identify: (identity: Identity) => view.connection.identify(identity),
    /** He signed out: the next one begins anew. */
    forget: () => view.connection.forget(),
  }
  Object.assign(window, { HubChat: control })
}

const key = script?.dataset.key
if (script && key) {
  if (document.body) start(script, key)
  else document.addEventListener('DOMContentLoaded', () => start(script, key))
}
