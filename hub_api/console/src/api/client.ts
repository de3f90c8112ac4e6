/** The hub's API by its own description: typed paths, the session's cookies with CSRF, a silent refresh, problems thrown. */
import i18next from 'i18next'
import createClient from 'openapi-fetch'
import { hubUrl } from './address'
import { Problem, problemFrom, problemOf } from './problem'
import type { paths } from './schema'
import { csrfToken, refresh } from './session'

const PATIENCE_MS = 30_000
const SAFE = new Set(['GET', 'HEAD'])

let onEnded: () => void = () => undefined

/** Who is told when the session has ended in the middle of the work. */
export function whenSessionEnds(listener: () => void): void {
  onEnded = listener
}

/** `fetch` as this page must do it. Raises what `fetch` raises; an ended session is told and answered with its 401. */
export async function fetchAsSession(request: Request): Promise<Response> {
  const again = request.clone()
  const askedAt = Date.now()
  const answer = await send(request)
  if (answer.status !== 401 || isSignIn(request.url)) return answer
  const refreshed = await refresh(askedAt)
  if (refreshed === 'refreshed') return send(again)
  if (refreshed === 'unavailable') throw new Problem(0, 'offline', 'the session could not be renewed')
  onEnded()
  return answer
}

function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers)
  if (!SAFE.has(request.method)) headers.set('X-CSRF-Token', csrfToken())
  // Else the browser names its own, and what the hub words would stand in another language than the page.
  if (i18next.language) headers.set('Accept-Language', i18next.language)
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)])
  return fetch(new Request(request, { headers, signal }))
}

/** Attempts to sign in answer 401 for wrong words: no session has ended by that. */
function isSignIn(url: string): boolean {
  return /\/api\/v1\/auth\/(login|second-factor)/.test(url)
}

export const api = createClient<paths>({ baseUrl: hubUrl.href.replace(/\/$/, ''), fetch: fetchAsSession })

/** The data of an answer. Raises Problem for anything but success. */
export async function data<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let told: { data?: T; error?: unknown; response: Response }
  try {
    told = await asked
  } catch (error) {
    throw problemOf(error)
  }
  if (!told.response.ok) throw problemFrom(told.response.status, told.error)
  return told.data as T
}
