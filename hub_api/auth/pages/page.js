// Signing in, the second factor, and setting a password, by the API that every client uses. Nothing here is secret, and
// nothing is built from text: what the API or the address says is shown as text only.
const AUTH = '/api/v1/auth'
const METHODS = { totp: 'Aplicativo autenticador', recovery: 'Código de recuperação', message: 'Mensagem no telefone' }
const WORDS = {
  wrong_credentials: 'E-mail, senha ou código não conferem.',
  too_many_requests: 'Tentativas demais. Espere um pouco e tente de novo.',
  unavailable: 'O serviço está indisponível por um momento. Tente de novo.',
  wrong_code: 'O código não confere. Veja o relógio do aparelho e digite o próximo.',
  weak_password: 'Esta senha seria adivinhada: use uma mais longa, com palavras que não combinam.',
  unauthorized: 'Este passo expirou. Entre de novo.',
  no_way_for_codes: 'Nenhum código pode ser enviado ao seu telefone. Use outro segundo fator.',
  invalid: 'O link é desconhecido, já foi usado ou expirou. Peça outro.'
}
// The page is written in Portuguese; this says the same in English, to whom the console or the switch below says so.
const ENGLISH = {
  'Esta página precisa de JavaScript.': 'This page needs JavaScript.',
  Senha: 'Password',
  Entrar: 'Sign in',
  'Entrar com a conta da organização': 'Sign in with the account of your organisation',
  'Esqueci a senha': 'Forgot the password',
  'Segundo fator': 'Second factor',
  Código: 'Code',
  Confirmar: 'Confirm',
  'Enviar código ao meu telefone': 'Send a code to my phone',
  'Enviar link': 'Send a link',
  'Nova senha': 'New password',
  'De novo': 'Once more',
  'Definir senha': 'Set the password',
  'Seu perfil exige um segundo fator. Leia o código QR com o aplicativo autenticador e digite o código que ele mostra.':
    'Your role asks for a second factor. Scan the QR code with an authenticator app and type the code that it shows.',
  'Código QR do segundo fator': 'QR code of the second factor',
  'Ou digite a chave:': 'Or type the key:',
  'Guarde estes códigos de recuperação: cada um abre uma vez, e eles não serão mostrados de novo.':
    'Keep these recovery codes: each opens once, and they are not shown again.',
  Continuar: 'Go on',
  'Ir para o console': 'Go to the console',
  'Aplicativo autenticador': 'Authenticator app',
  'Código de recuperação': 'Recovery code',
  'Mensagem no telefone': 'Message on the phone',
  'E-mail, senha ou código não conferem.': 'E-mail, password or code are not right.',
  'Tentativas demais. Espere um pouco e tente de novo.': 'Too many attempts. Wait a little and try again.',
  'O serviço está indisponível por um momento. Tente de novo.': 'The service is away for a moment. Try again.',
  'O código não confere. Veja o relógio do aparelho e digite o próximo.':
    'The code is not right. Look at the clock of the device and type the next one.',
  'Esta senha seria adivinhada: use uma mais longa, com palavras que não combinam.':
    'This password would be guessed: use a longer one, of words that do not belong together.',
  'Este passo expirou. Entre de novo.': 'This step has expired. Sign in again.',
  'Nenhum código pode ser enviado ao seu telefone. Use outro segundo fator.':
    'No code can be sent to your phone. Use another second factor.',
  'O link é desconhecido, já foi usado ou expirou. Peça outro.':
    'The link is unknown, has been used or has expired. Ask for another.',
  'Não foi possível. Tente de novo.': 'That did not work. Try again.',
  'Você entrou no Telecom Chat.': 'You are signed in to Telecom Chat.',
  'Se houver uma conta com este e-mail, o link já está a caminho.':
    'If there is an account with this e-mail, the link is on its way.',
  'As duas senhas não são iguais.': 'The two passwords are not the same.',
  'Senha definida. Entre com ela.': 'The password is set. Sign in with it.',
  'Código enviado.': 'Code sent.'
}
let english = localStorage.getItem('hub.language') === 'en'
const say = (text) => (english && ENGLISH[text]) || text
const find = (id) => document.getElementById(id)
const query = new URLSearchParams(location.search)
let challenge = ''
let csrf = ''

function show (id) {
  for (const part of document.querySelectorAll('form, section')) part.hidden = part.id !== id
  find(id).querySelector('input, button')?.focus()
}

function tell (text, good = false) {
  const notice = find('notice')
  notice.textContent = say(text)
  notice.classList.toggle('good', good)
  notice.hidden = !text
}

async function call (path, body, method = 'POST') {
  const headers = { 'Content-Type': 'application/json', ...(csrf && { 'X-CSRF-Token': csrf }) }
  const answer = await fetch(AUTH + path, { method, headers, body: body && JSON.stringify(body) })
  const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(WORDS[told?.code] ?? 'Não foi possível. Tente de novo.')
  return told ?? {}
}

// A path of this very address and no other, whatever the link says.
function onward (to) {
  const url = new URL(to || '/', location.origin)
  return /^\/(?![/\\])/.test(to ?? '') && url.origin === location.origin ? url.href : null
}

function leave () {
  const target = onward(query.get('to'))
  if (target) return location.assign(target)
  for (const part of document.querySelectorAll('form, section')) part.hidden = true
  find('console').hidden = document.body.dataset.console !== 'yes'
  tell('Você entrou no Telecom Chat.', true)
}

function askCode (token, methods) {
  challenge = token
  const select = find('code-form').elements.method
  select.replaceChildren(...methods.filter((one) => one in METHODS).map((one) => new Option(say(METHODS[one]), one)))
  find('send-code').hidden = select.value !== 'message'
  show('code-form')
}

async function signedIn (tokens) {
  csrf = tokens.csrf_token
  const me = await call('/me', undefined, 'GET')
  if (!me.second_factor_required) return leave()
  const pending = await call('/totp')
  find('qr').src = `data:image/svg+xml,${encodeURIComponent(pending.qr_svg)}`
  find('secret').textContent = pending.secret
  show('set-up-form')
}

const deeds = {
  async 'password-form' (fields) {
    const told = await call('/login', { email: fields.email, password: fields.password, transport: 'cookie' })
    if (told.challenge) return askCode(told.challenge, told.methods)
    await signedIn(told)
  },
  async 'code-form' (fields) {
    await signedIn(await call('/second-factor', { challenge, method: fields.method, code: fields.code }))
  },
  async 'forgot-form' (fields) {
    await call('/password/forgot', { email: fields.email })
    tell('Se houver uma conta com este e-mail, o link já está a caminho.', true)
  },
  async 'new-password-form' (fields) {
    if (fields.password !== fields.again) throw new Error('As duas senhas não são iguais.')
    await call('/password/set', { token: location.hash.slice(1), password: fields.password })
    history.replaceState(null, '', '/entrar')
    show('password-form')
    tell('Senha definida. Entre com ela.', true)
  },
  async 'set-up-form' (fields) {
    const { codes } = await call('/totp/confirm', { code: fields.code })
    find('recovery-codes').textContent = codes.join('\n')
    show('recovery')
  }
}

async function attempt (deed, control) {
  control.disabled = true
  tell('')
  try {
    await deed()
  } catch (error) {
    tell(error.message)
  } finally {
    control.disabled = false
  }
}

for (const [id, deed] of Object.entries(deeds)) {
  find(id).addEventListener('submit', (event) => {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(event.target))
    attempt(() => deed(fields), event.target.querySelector('button'))
  })
}
find('code-form').elements.method.addEventListener('change', (event) => { find('send-code').hidden = event.target.value !== 'message' })
find('send-code').addEventListener('click', (event) => attempt(async () => {
  await call('/second-factor/message', { challenge })
  tell('Código enviado.', true)
}, event.target))
find('go-on').addEventListener('click', leave)

// What the page says in its file, to be said again in the other language.
const written = []
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
while (walker.nextNode()) written.push([walker.currentNode, walker.currentNode.data])

function speak () {
  for (const [node, text] of written) node.data = text.replace(text.trim(), say)
  for (const one of find('code-form').elements.method.options) one.text = say(METHODS[one.value])
  find('qr').alt = say('Código QR do segundo fator')
  document.documentElement.lang = english ? 'en' : 'pt-BR'
  find('other-language').lang = english ? 'pt-BR' : 'en'
  find('other-language').textContent = english ? 'Português' : 'English'
}

find('other-language').addEventListener('click', () => {
  english = !english
  localStorage.setItem('hub.language', english ? 'en' : 'pt-BR')
  tell('')
  speak()
})

function begin () {
  const token = location.hash.slice(1)
  if (location.pathname === '/convite' || (location.pathname === '/senha' && token)) return show('new-password-form')
  if (location.pathname === '/senha') return show('forgot-form')
  if (location.pathname === '/segundo-fator') {
    const told = new URLSearchParams(token)
    history.replaceState(null, '', '/segundo-fator')
    query.set('to', told.get('to') ?? '')
    return askCode(told.get('challenge') ?? '', (told.get('methods') ?? '').split(','))
  }
  if (document.body.dataset.provider === 'yes') {
    const target = onward(query.get('to')) ? query.get('to') : '/'
    find('provider').href = `${AUTH}/oidc/login?${new URLSearchParams({ return_to: target })}`
    find('provider').hidden = false
  }
  find('password-form').elements.email.value = query.get('email') ?? ''
  show('password-form')
}
speak()
begin()
