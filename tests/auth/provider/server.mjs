// An OpenID Connect provider that is not ours (npm's oidc-provider) with a plain sign-in page.
// node server.mjs PORT REDIRECT_URI  — accounts as JSON on stdin; a new signing key at every start.
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import Provider from 'oidc-provider'

const [port, redirectUri] = process.argv.slice(2)
const accounts = JSON.parse(readFileSync(0, 'utf8'))
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: `key-${Date.now()}` }

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'hub',
    client_secret: 'a secret: with signs/of + its own',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub', 'acr', 'amr'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  cookies: { keys: ['not a secret'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  jwks: { keys: [key] },
  pkce: { required: () => true },
  async loadExistingGrant (ctx) { // no page that asks for consent: the organisation has given it
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope('openid email profile')
    await grant.save()
    return grant
  }
})
const answer = provider.callback()

http.createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  if (request.method === 'GET') {
    response.setHeader('Content-Type', 'text/html')
    return response.end(`<form method="post"><input name="account"><input name="amr"></form>`)
  }
  let body = ''
  for await (const chunk of request) body += chunk
  const form = new URLSearchParams(body)
  const login = { accountId: form.get('account'), amr: form.get('amr') ? form.get('amr').split(' ') : undefined }
  const result = form.get('account') ? { login } : { error: 'access_denied' }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))
