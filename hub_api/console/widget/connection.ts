/** The socket of the widget: it comes back by itself, says again what was not confirmed, and asks for what it missed. */
import { type Message, type Pending, type Talk, Timeline, type Told, type Welcome } from './frames'

const PING_MS = 25_000
const PONG_WITHIN_MS = 10_000
const LONGEST_WAIT_MS = 30_000

export interface Identity {
  id: string
  signature: string
  name?: string
}

export type Status = 'idle' | 'connecting' | 'ready' | 'offline' | 'refused'

export interface Listener {
  changed(): void
  arrived(message: Message): void
  problem(code: string, detail: string): void
  done(what: 'code_sent' | 'verified' | 'started'): void
}

export class Connection {
  status: Status = 'idle'
  welcome: Welcome | null = null
  talk: Talk | null = null
  readonly timeline = new Timeline()
  readonly pending: Pending[] = []
  identity: Identity | null = null

  private socket: WebSocket | null = null
  private wait = 500
  private opened = false
  private timers: number[] = []
  private delivered = ''
  private seen = ''

  constructor(
    private readonly base: URL,
    readonly key: string,
    private readonly listener: Listener,
  ) {
    window.addEventListener('online', () => this.hurry())
  }

  get token(): string | null {
    try {
      return localStorage.getItem(`hub-chat:${this.key}`)
    } catch {
      return this.memory
    }
  }

  private memory: string | null = null

  private keep(token: string | null): void {
    this.memory = token
    try {
      if (token) localStorage.setItem(`hub-chat:${this.key}`, token)
      else localStorage.removeItem(`hub-chat:${this.key}`)
    } catch {
      // a page without storage: the chat lives as long as the page
    }
  }

  get isStarted(): boolean {
    return Boolean(this.welcome?.token)
  }

  open(): void {
    if (this.socket || this.status === 'refused') return
    this.become('connecting')
    const address = new URL('widget/ws', this.base)
    address.protocol = address.protocol.replace('http', 'ws')
    address.searchParams.set('key', this.key)
    const socket = new WebSocket(address)
    this.socket = socket
    socket.onopen = () => {
      this.opened = true
      this.greet()
    }
    socket.onmessage = (event) => this.hear(JSON.parse(event.data as string) as Told)
    socket.onclose = () => this.closed(socket)
  }

  /** The website's user is this one: what the hub makes of it, it says in its next welcome. */
  identify(identity: Identity): void {
    this.identity = identity
    if (this.socket) this.socket.close()
    else if (this.token) this.open()
  }

  /** Begin anew as nobody: the website's user signed out. */
  forget(): void {
    this.keep(null)
    this.identity = null
    this.timeline.clear()
    this.pending.length = 0
    this.welcome = this.talk = null
    this.socket?.close()
  }

  agree(version: string): void {
    this.say({ op: 'start', version, page: `${location.origin}${location.pathname}`.slice(0, 300) })
  }

  write(frame: Record<string, unknown>, text: string): void {
    const client_id = crypto.randomUUID()
    const pending: Pending = { client_id, frame: { ...frame, client_id }, text }
    this.pending.push(pending)
    if (this.status === 'ready') this.say(pending.frame)
    this.listener.changed()
  }

  again(pending: Pending): void {
    pending.problem = undefined
    if (this.status === 'ready') this.say(pending.frame)
    this.listener.changed()
  }

  ask(frame: Record<string, unknown>): void {
    this.say(frame)
  }

  /** The visitor sees all that is here. */
  read(): void {
    const last = this.lastOfOurs()
    if (last && last > this.seen && this.status === 'ready') {
      this.seen = last
      this.say({ op: 'ack', read: last })
    }
  }

  async upload(file: File): Promise<{ id: string }> {
    const form = new FormData()
    form.append('file', file)
    const answer = await this.fetchFile('', { method: 'POST', body: form })
    return (await answer.json()) as { id: string }
  }

  async download(id: string): Promise<Blob> {
    return (await this.fetchFile(`/${id}`, {})).blob()
  }

  private async fetchFile(path: string, init: RequestInit): Promise<Response> {
    const address = new URL(`widget/files${path}`, this.base)
    address.searchParams.set('key', this.key)
    const headers = { Authorization: `Bearer ${this.token}` }
    const answer = await fetch(address, { ...init, headers, credentials: 'omit', referrerPolicy: 'no-referrer' })
    if (!answer.ok) throw new Error(String(answer.status))
    return answer
  }

  private lastOfOurs(): string | null {
    const ours = this.timeline.all().filter((one) => one.from !== 'visitor')
    return ours.at(-1)?.id ?? null
  }

  private greet(): void {
    const { identity } = this
    this.say({ op: 'hello', token: this.token, after: this.timeline.last(), ...(identity ? { identity } : {}) })
  }

  private hear(told: Told): void {
    this.lastHeard++
    switch (told.type) {
      case 'welcome':
        if (!told.token && this.token) this.timeline.clear() // whom this browser was is nobody any more
        this.welcome = told
        this.keep(told.token)
        this.wait = 500
        if (!told.token) this.ready()
        break
      case 'started':
        if (this.welcome) this.welcome.token = told.token
        this.keep(told.token)
        this.flush()
        this.listener.done('started')
        break
      case 'reset':
        this.timeline.clear()
        break
      case 'ready':
        this.ready()
        break
      case 'message':
        this.confirm(told.data.client_id)
        if (this.timeline.put(told.data) && told.data.from !== 'visitor' && this.status === 'ready') {
          this.listener.arrived(told.data)
        }
        this.acknowledge()
        break
      case 'talk':
        this.talk = told.data
        break
      case 'sent':
        // The row itself comes by the stream; until then the words stay where they are.
        for (const one of this.pending) if (one.client_id === told.client_id) one.problem = undefined
        break
      case 'error':
        this.refused(told)
        break
      case 'code_sent':
      case 'verified':
        if (told.type === 'verified' && this.welcome) this.welcome.verified = true
        this.listener.done(told.type)
        break
    }
    this.listener.changed()
  }

  private refused(told: { code: string; detail: string; client_id?: string }): void {
    const pending = this.pending.find((one) => one.client_id === told.client_id)
    if (told.code === 'forbidden' && this.identity && !this.welcome) {
      this.identity = null // the website's signature does not fit: he is a visitor like any other
      this.greet()
    } else if (pending) pending.problem = told.code
    else this.listener.problem(told.code, told.detail)
  }

  private ready(): void {
    this.become('ready')
    for (const timer of this.timers) clearTimeout(timer)
    this.timers = [window.setTimeout(() => this.ping(), PING_MS)]
    this.acknowledge()
    this.flush()
  }

  private ping(): void {
    const socket = this.socket
    this.say({ op: 'ping' })
    const before = this.lastHeard
    this.timers = [
      window.setTimeout(() => {
        if (this.lastHeard === before) socket?.close()
        else this.timers = [window.setTimeout(() => this.ping(), PING_MS)]
      }, PONG_WITHIN_MS),
    ]
  }

  private lastHeard = 0

  private flush(): void {
    if (this.isStarted) for (const one of this.pending) if (!one.problem) this.say(one.frame)
  }

  private acknowledge(): void {
    const last = this.lastOfOurs()
    if (last && last > this.delivered && this.status === 'ready') {
      this.delivered = last
      this.say({ op: 'ack', delivered: last })
    }
  }

  private confirm(client_id: string | undefined): void {
    const at = this.pending.findIndex((one) => one.client_id === client_id)
    if (at >= 0) this.pending.splice(at, 1)
  }

  private say(frame: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame))
  }

  private closed(socket: WebSocket): void {
    if (this.socket !== socket) return
    this.socket = null
    for (const timer of this.timers) clearTimeout(timer)
    // A handshake that was never accepted, while the network is there: this page may not.
    if (!this.opened && navigator.onLine && ++this.failures >= 4) {
      this.become('refused')
      return
    }
    this.become('offline')
    this.delivered = this.seen = ''
    this.timers = [window.setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2))]
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS)
  }

  private failures = 0

  private hurry(): void {
    if (this.status === 'offline') {
      for (const timer of this.timers) clearTimeout(timer)
      this.open()
    }
  }

  private become(status: Status): void {
    this.status = status
    this.listener.changed()
  }
}
