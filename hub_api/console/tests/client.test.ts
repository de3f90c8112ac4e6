// The client against a real server of this process: cookies with CSRF, the silent refresh, problems.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

const asked: { method: string; path: string; csrf: string | undefined }[] = []
const spoken: (string | undefined)[] = [] // the language that each request asks for
let access = false // whether the session's cookie is fresh
let alive = true // whether the session lives
let server: Server
let base = ''

beforeAll(async () => {
  server = createServer((request: IncomingMessage, answer) => {
    const csrf = request.headers['x-csrf-token'] as string | undefined
    asked.push({ method: request.method ?? '', path: request.url ?? '', csrf })
    spoken.push(request.headers['accept-language'])
    const tell = (status: number, body: object) => {
      answer.writeHead(status, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' })
      answer.end(JSON.stringify(body))
    }
    if (request.url === '/api/v1/auth/refresh') {
      if (alive) access = true
      return alive ? tell(200, {}) : tell(401, { code: 'unauthorized', detail: 'over' })
    }
    if (!access) return tell(401, { code: 'unauthorized', detail: 'sign in' })
    if (request.method === 'POST') return tell(409, { code: 'conversation_state', detail: 'is closed' })
    return tell(200, { name: 'Bia' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  base = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
})

afterAll(() => {
  server.close()
})

afterEach(() => {
  asked.length = 0
  spoken.length = 0
  access = false
  alive = true
  localStorage.clear()
})

async function client() {
  vi.resetModules()
  const page = (window as unknown as { happyDOM: { setURL(url: string): void } }).happyDOM
  page.setURL(`${base}/console/`)
  // biome-ignore lint/suspicious/noDocumentCookie: what the hub's own answer sets
  document.cookie = 'hub_csrf=abc%20d'
  return { ...(await import('../src/api/client')), ...(await import('../src/api/problem')) }
}

describe('the client', () => {
  it('renews the session once for all that were refused, and asks again', async () => {
    const { api, data } = await client()
    const answers = await Promise.all([1, 2, 3].map(() => data(api.GET('/api/v1/auth/me'))))
    expect(answers.map((one) => one.name)).toEqual(['Bia', 'Bia', 'Bia'])
    expect(asked.filter((one) => one.path.endsWith('/refresh'))).toEqual([
      { method: 'POST', path: '/api/v1/auth/refresh', csrf: 'abc d' },
    ])
  })

  it('sees that another tab has renewed it', async () => {
    const { api } = await client()
    localStorage.setItem('hub.refreshed_at', String(Date.now() + 1000))
    await api.GET('/api/v1/auth/me')
    expect(asked.map((one) => one.path)).toEqual(['/api/v1/auth/me', '/api/v1/auth/me'])
  })

  it('tells once that the session has ended', async () => {
    const { api, whenSessionEnds } = await client()
    alive = false
    const ended = vi.fn()
    whenSessionEnds(ended)
    const { response } = await api.GET('/api/v1/auth/me')
    expect(response.status).toBe(401)
    expect(ended).toHaveBeenCalledOnce()
  })

  it('shows the CSRF value with changes only, and raises what the hub refuses', async () => {
    const { api, data, Problem } = await client()
    access = true
    await data(api.GET('/api/v1/auth/me'))
    await expect(data(api.POST('/api/v1/auth/logout'))).rejects.toMatchObject({
      status: 409,
      code: 'conversation_state',
    })
    expect(asked.map((one) => one.csrf)).toEqual([undefined, 'abc d'])
    expect(new Problem(503, 'unavailable', '').passes).toBe(true)
    expect(new Problem(409, 'conflict', '').passes).toBe(false)
  })

  it('asks in the language that is chosen here, whatever the browser speaks, and again after a renewal', async () => {
    const { api } = await client()
    const { setLanguage, startLanguage } = await import('../src/app/i18n')
    await startLanguage()
    await api.GET('/api/v1/auth/me')
    await setLanguage('en')
    await api.POST('/api/v1/auth/logout')
    expect(asked.map((one) => one.path.split('/').pop())).toEqual(['me', 'refresh', 'me', 'logout'])
    expect([spoken[0], spoken[2], spoken[3]]).toEqual(['pt-BR', 'pt-BR', 'en'])
  })
})
