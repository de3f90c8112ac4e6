/** The launcher and the panel. Each part is drawn anew only when what it shows has changed, so that focus stays where it is. */
import { bubble, loadPictures, waiting } from './bubble'
import { Connection, type Identity, type Listener } from './connection'
import { h, icon } from './dom'
import { consentForm, type Left, offlineForm, phoneForm } from './forms'
import { inkOn, type Message } from './frames'
import { Rows } from './rows'
import { STYLE } from './style'
import { type Language, WORDS, type Words } from './words'

const TAKEN = ['image/jpeg', 'image/png', 'image/webp', 'application/pdf']

type Screen = 'none' | 'consent' | 'form' | 'left' | 'phone' | 'talk'

export class View implements Listener {
  readonly connection: Connection
  private readonly words: Words
  private readonly locale: string
  private unread = 0
  private isOpen = false
  private screen: Screen = 'none'
  private hasLeft = false
  private phone: { sentTo: string | null; problem: string | null } | null = null
  private queued: { left: Left } | null = null
  private drawn = ''

  private readonly host = h('div')
  private readonly count = h('span', { class: 'count', hidden: true, 'aria-hidden': 'true' })
  private readonly launcher: HTMLButtonElement
  private readonly panel: HTMLElement
  private readonly line = h('p')
  private readonly title = h('h2')
  private readonly status = h('div', { class: 'status', role: 'status', hidden: true })
  private readonly said = h('div', { class: 'quiet', 'aria-live': 'polite' })
  private readonly log: HTMLElement
  private readonly list = h('ul', { class: 'list' })
  private readonly rows = new Rows(this.list)
  private readonly middle = h('div', { class: 'middle' })
  private readonly field: HTMLTextAreaElement
  private readonly file: HTMLInputElement
  private readonly talk: HTMLElement[]

  constructor(
    base: URL,
    key: string,
    private readonly language: Language,
    identity: Identity | null,
    scheme?: string,
  ) {
    this.words = WORDS[language]
    this.locale = language === 'en' ? 'en' : 'pt-BR'
    this.connection = new Connection(base, key, this)
    this.connection.identity = identity
    const { words } = this
    this.launcher = h(
      'button',
      { type: 'button', class: 'launcher', 'aria-expanded': 'false', onclick: () => this.toggle() },
      icon('chat'),
      this.count,
    )
    this.log = h('div', { class: 'log', role: 'log', 'aria-label': words.conversation, tabindex: '0' }, this.list)
    this.field = h('textarea', { rows: '1', 'aria-label': words.write, placeholder: words.write, maxlength: '4000' })
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault()
        this.send()
      }
    })
    this.file = h('input', {
      type: 'file',
      accept: TAKEN.join(','),
      class: 'quiet',
      tabindex: '-1',
      'aria-hidden': 'true',
      onchange: () => void this.attach(),
    })
    const attach = h(
      'button',
      { type: 'button', class: 'icon', 'aria-label': words.attach, onclick: () => this.file.click() },
      icon('clip'),
    )
    const send = h(
      'button',
      { type: 'button', class: 'icon send', 'aria-label': words.send, onclick: () => this.send() },
      icon('send'),
    )
    const links = h(
      'div',
      { class: 'links' },
      h('button', { type: 'button', onclick: () => this.askPhone() }, words.customer),
    )
    this.talk = [this.log, links, h('div', { class: 'compose' }, this.file, attach, this.field, send)]
    this.panel = h(
      'section',
      { class: 'panel', role: 'dialog', 'aria-label': words.conversation, hidden: true },
      h(
        'header',
        {},
        h('div', {}, this.title, this.line),
        h(
          'button',
          { type: 'button', class: 'icon', 'aria-label': words.close, onclick: () => this.toggle() },
          icon('close'),
        ),
      ),
      this.status,
      this.middle,
      ...this.talk,
    )
    this.panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.toggle()
    })
    if (scheme) this.host.dataset.scheme = scheme
    const shadow = this.host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    shadow.adoptedStyleSheets = [sheet]
    shadow.append(h('div', { class: 'root', lang: this.locale }, this.panel, this.launcher, this.said))
    document.body.append(this.host)
    document.addEventListener('visibilitychange', () => this.changed())
    this.changed()
    if (this.connection.token) this.connection.open() // somebody who was here: he is told what he missed
  }

  open(): void {
    if (!this.isOpen) this.toggle()
  }

  toggle(): void {
    this.isOpen = !this.isOpen
    this.panel.hidden = !this.isOpen
    this.launcher.setAttribute('aria-expanded', String(this.isOpen))
    if (this.isOpen) {
      this.connection.open()
      this.changed()
      this.focus()
    } else {
      this.changed()
      this.launcher.focus()
    }
  }

  changed(): void {
    const { connection, words } = this
    const { welcome } = connection
    if (welcome) {
      this.host.style.setProperty('--c', welcome.color)
      this.host.style.setProperty('--ink', inkOn(welcome.color))
      this.title.textContent = welcome.title
      this.panel.setAttribute('aria-label', welcome.title)
    }
    const unseen = connection.timeline.all().filter((one) => one.from !== 'visitor' && one.state !== 'read')
    this.unread = this.isOpen ? 0 : unseen.length
    const told = this.unread ? `. ${words.unread(this.unread)}` : ''
    this.launcher.setAttribute('aria-label', (this.isOpen ? words.close : words.open) + told)
    this.count.hidden = !this.unread
    this.count.textContent = String(this.unread)
    this.line.textContent = this.where()
    const problem =
      { connecting: welcome ? '' : words.connecting, offline: words.offline, refused: words.refused }[
        connection.status as string
      ] ?? ''
    if (this.status.textContent !== problem) this.status.textContent = problem
    this.status.hidden = !problem
    this.show(this.wanted())
    if (this.screen === 'talk') this.draw()
    if (this.isOpen && document.visibilityState === 'visible' && this.screen === 'talk') connection.read()
  }

  arrived(message: Message): void {
    const who = message.from === 'bot' ? this.words.bot : (message.name ?? this.words.agent)
    if (!this.isOpen) this.said.textContent = `${this.words.unread(this.unread + 1)}: ${who}`
  }

  problem(code: string): void {
    const { words } = this
    const text = { code_wrong: words.wrongCode, too_many_requests: words.wait }[code] ?? words.problem
    if (this.phone) {
      this.phone = { ...this.phone, problem: text }
      this.screen = 'none'
    } else this.said.textContent = text
  }

  done(what: 'code_sent' | 'verified' | 'started'): void {
    if (what === 'started' && this.queued) {
      this.leave(this.queued.left)
      this.queued = null
    }
    if (what === 'verified') {
      this.phone = null
      this.said.textContent = this.words.verified
    }
    if (what === 'started' || what === 'verified') queueMicrotask(() => this.focus())
  }

  askPhone(): void {
    this.phone = { sentTo: null, problem: null }
    this.changed()
    this.focus()
  }

  private where(): string {
    const { talk } = this.connection
    if (!talk) return ''
    const { words } = this
    const position = talk.position ? words.position(talk.position) : words.queued
    const state =
      { bot: words.bot, queued: position, resolved: words.ended, closed: words.ended }[talk.state] ??
      (talk.agent ? words.with(talk.agent) : words.agent)
    return `${state} · ${words.protocol(talk.protocol)}`
  }

  private wanted(): Screen {
    const { welcome, isStarted, talk } = this.connection
    if (!welcome) return 'none'
    if (this.phone) return 'phone'
    if (this.hasLeft && !this.connection.timeline.size) return 'left'
    if (!welcome.open && (!talk || talk.state === 'closed')) return this.hasLeft ? 'talk' : 'form'
    return isStarted ? 'talk' : 'consent'
  }

  private show(screen: Screen): void {
    for (const part of this.talk) part.hidden = screen !== 'talk'
    const links = this.talk[1] as HTMLElement
    const { welcome } = this.connection
    links.hidden = screen !== 'talk' || !welcome?.can_verify || welcome.verified
    if (screen === this.screen) return
    this.screen = screen
    this.middle.replaceChildren()
    if (!welcome) return
    const { words, language } = this
    if (screen === 'consent') {
      this.middle.append(
        consentForm(
          welcome,
          words,
          language,
          () => this.connection.agree(welcome.consent[language].version),
          () => this.toggle(),
        ),
      )
    } else if (screen === 'form') {
      this.middle.append(offlineForm(welcome, words, language, this.connection.isStarted, (left) => this.left(left)))
    } else if (screen === 'left') {
      this.middle.append(h('div', { class: 'body' }, h('p', { role: 'status' }, words.left)))
    } else if (screen === 'phone' && this.phone) {
      this.middle.append(phoneForm(words, this.phone.sentTo, this.phone.problem, this.proof()))
    }
    this.focus()
  }

  private proof() {
    return {
      send: (phone: string) => {
        this.connection.ask({ op: 'code', phone })
        this.phone = { sentTo: phone, problem: null }
        this.screen = 'none'
        this.changed()
      },
      confirm: (code: string) => this.connection.ask({ op: 'verify', phone: this.phone?.sentTo, code }),
      cancel: () => {
        this.phone = null
        this.changed()
        this.focus()
      },
    }
  }

  private draw(): void {
    const { connection, words } = this
    const all = connection.timeline.all()
    const drawn = JSON.stringify([all, connection.pending, connection.status === 'ready'])
    if (drawn === this.drawn) return
    this.drawn = drawn
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60
    const root = this.list.getRootNode() as ShadowRoot
    const hadFocus = this.list.contains(root.activeElement)
    const last = all.at(-1)
    const offers = last?.options?.length && !connection.pending.length ? [last] : []
    this.rows.show([
      ...all.map((one) => ({
        key: one.id,
        of: { ...one, state: '' },
        make: () => bubble(one, words, connection, this.locale),
      })),
      ...offers.map((one) => ({ key: `options of ${one.id}`, of: one.options, make: () => this.options(one) })),
      ...connection.pending.map((one) => ({
        key: one.client_id,
        of: [one.text, one.problem],
        make: () => waiting(one, words, () => connection.again(one)),
      })),
    ])
    loadPictures(this.list, connection)
    if (hadFocus && !this.list.contains(root.activeElement)) this.field.focus() // what had it is gone
    if (atEnd) this.log.scrollTop = this.log.scrollHeight
  }

  private options(message: Message): HTMLLIElement {
    const tap = (id: string, title: string) => () => {
      this.connection.write({ op: 'message', choice: { id, title } }, title)
      this.field.focus()
    }
    const made = (message.options ?? []).map((one) =>
      h('li', {}, h('button', { type: 'button', onclick: tap(one.id, one.title) }, one.title)),
    )
    return h('li', {}, h('ul', { class: 'options' }, ...made))
  }

  private send(): void {
    const text = this.field.value.trim()
    if (!text) return
    this.connection.write({ op: 'message', text }, text)
    this.field.value = ''
    this.field.focus()
    this.log.scrollTop = this.log.scrollHeight
  }

  private async attach(): Promise<void> {
    const chosen = this.file.files?.[0]
    this.file.value = ''
    if (!chosen) return
    const { words, connection } = this
    if (chosen.size > (connection.welcome?.most_file_bytes ?? 0)) return this.tell(words.fileTooLarge)
    if (!TAKEN.includes(chosen.type)) return this.tell(words.fileRefused)
    this.tell(words.sending)
    try {
      const { id } = await connection.upload(chosen)
      this.tell('')
      connection.write({ op: 'message', file: id }, chosen.name)
    } catch (error) {
      this.tell(error instanceof Error && error.message === '422' ? words.fileRefused : words.problem)
    }
  }

  private tell(text: string): void {
    this.status.textContent = text
    this.status.hidden = !text
  }

  private left(left: Left): void {
    if (this.connection.isStarted) this.leave(left)
    else {
      this.queued = { left }
      const { welcome } = this.connection
      if (welcome) this.connection.agree(welcome.consent[this.language].version)
    }
  }

  private leave(left: Left): void {
    const { name, text, phone, email } = left
    const frame = { op: 'form', name, text, ...(phone ? { phone } : {}), ...(email ? { email } : {}) }
    this.hasLeft = true
    this.connection.write(frame, text)
  }

  private focus(): void {
    if (!this.isOpen) return
    const first = this.screen === 'talk' ? this.field : this.middle.querySelector<HTMLElement>('input,textarea,button')
    first?.focus()
  }
}
