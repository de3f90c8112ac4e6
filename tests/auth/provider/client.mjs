// A client that is not ours (npm's openid-client) at the hub as provider. One JSON request a line on stdin, one answer a line.
import readline from 'node:readline'
import * as client from 'openid-client'

const [issuer, clientId, secret, method] = process.argv.slice(2)
const authentication = { basic: client.ClientSecretBasic, post: client.ClientSecretPost, none: client.None }[method]
const config = await client.discovery(new URL(issuer), clientId, undefined, authentication(secret || undefined), {
  execute: [client.allowInsecureRequests]
})
const told = (tokens) => ({ ...tokens, claims: tokens.claims?.() })

const does = {
  async begin ({ redirect_uri, scope, ...more }) {
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const nonce = client.randomNonce()
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri, scope, state, nonce, code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256', ...more
    })
    return { url: url.href, verifier, state, nonce }
  },
  async finish ({ url, verifier, state, nonce, max_age }) {
    return told(await client.authorizationCodeGrant(config, new URL(url), {
      pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: max_age
    }))
  },
  async refresh ({ token }) { return told(await client.refreshTokenGrant(config, token)) },
  async userinfo ({ token, sub }) { return client.fetchUserInfo(config, token, sub) },
  async revoke ({ token }) { await client.tokenRevocation(config, token); return {} },
  async logout (parameters) { return { url: client.buildEndSessionUrl(config, parameters).href } }
}

console.log(JSON.stringify(config.serverMetadata()))
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { act, ...given } = JSON.parse(line)
  try {
    console.log(JSON.stringify(await does[act](given)))
  } catch (error) {
    console.log(JSON.stringify({ error: error.error ?? error.code ?? error.cause?.error ?? error.name, message: String(error.message) }))
  }
}
