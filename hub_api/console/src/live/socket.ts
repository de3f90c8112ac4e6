/**
 * The live streams over one WebSocket: what was subscribed is subscribed again after every loss, from its last cursor.
 *
 * Nothing here knows React or what is done with a frame. While no socket is open the pages ask by REST instead.
 */
import { type Frame, isBoard, roomOf } from './frames'

/** The hub cut us off because frames piled up: at once again, with the cursor. */
const TOO_SLOW = 4008
/** The caller may no more: the session is asked before another try. */
const FORBIDDEN = 1008
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** The hub says `alive` every 15 s; a socket that says nothing for so long is dead. */
const SILENCE_MS = 40_000

export interface Listener {
  onFrame(frame: Frame): void
  /** What is shown may lack something: read it by REST. Also told when the subscription begins. */
  onGap(): void
}

export interface Options {
  url: string
  /** Whether the session lives, renewed if need be: a browser does not tell why a handshake failed. */
  sessionLives(): Promise<boolean>
  open?(url: string): WebSocket
}

interface Room {
  listeners: Set<Listener>
  cursor: string | null
}

export class Live {
  private socket: WebSocket | null = null
  private readonly rooms = new Map<string, Room>()
  private readonly watchers = new Set<() => void>()
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined
  private running = false
  /** Whether frames come. */
  connected = false

  constructor(private readonly options: Options) {}

  /** Connect, and stay connected until `stop`. */
  start(): void {
    if (this.running) return
    this.running = true
    window.addEventListener('online', this.hurry)
    this.connect()
  }

  /** Close and forget everything. */
  stop(): void {
    this.running = false
    window.removeEventListener('online', this.hurry)
    clearTimeout(this.timer)
    this.rooms.clear()
    this.drop()
    this.failures = 0
  }

  /** Listen to `inbox`, a board by its name, or a conversation by its id; call what is returned to end it. */
  subscribe(room: string, listener: Listener): () => void {
    const known = this.rooms.get(room)
    if (known) {
      known.listeners.add(listener)
    } else {
      this.rooms.set(room, { listeners: new Set([listener]), cursor: null })
      this.ask('subscribe', room)
    }
    return () => {
      const held = this.rooms.get(room)
      if (!held?.listeners.delete(listener) || held.listeners.size > 0) return
      this.rooms.delete(room)
      this.ask('unsubscribe', room)
    }
  }

  /** Tell the others in a conversation. Lost while no socket is open. */
  say(op: 'typing' | 'viewing', conversation: string): void {
    if (this.rooms.has(conversation)) this.send({ op, id: conversation })
  }

  /** Be told when `connected` changes. */
  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  private connect(): void {
    clearTimeout(this.timer)
    const socket = (this.options.open ?? ((url) => new WebSocket(url)))(this.options.url)
    this.socket = socket
    this.expectWords()
    socket.onopen = () => {
      if (this.socket !== socket) return
      this.setConnected(true)
      for (const room of this.rooms.keys()) this.ask('subscribe', room)
    }
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(JSON.parse(event.data) as Frame)
    }
    socket.onclose = (event) => {
      if (this.socket === socket) void this.closed(event.code)
    }
  }

  private async closed(code: number): Promise<void> {
    const opened = this.connected
    this.drop()
    if (!this.running) return
    if (code === TOO_SLOW) return this.connect()
    if ((code === FORBIDDEN || !opened) && !(await this.options.sessionLives())) return this.stop()
    if (!this.running || this.socket) return
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures++)
    this.timer = setTimeout(() => this.connect(), pause * (0.5 + Math.random() / 2)) // a thousand consoles come one by one
  }

  private hear(frame: Frame): void {
    this.expectWords()
    if (frame.type === 'alive') {
      for (const one of frame.streams) this.note(one.stream === 'inbox' ? 'inbox' : (one.id ?? ''), one.cursor)
      return
    }
    const name = roomOf(frame)
    const room = name === null ? undefined : this.rooms.get(name)
    if (name === null || !room) return
    const first = room.cursor === null
    if ('cursor' in frame) this.note(name, frame.cursor)
    if (frame.type === 'subscribed') this.failures = 0
    for (const listener of room.listeners) {
      if (frame.type === 'reset' || (frame.type === 'subscribed' && first)) listener.onGap()
      listener.onFrame(frame)
    }
  }

  private note(name: string, cursor: string): void {
    const room = this.rooms.get(name)
    if (room) room.cursor = cursor
  }

  private ask(op: 'subscribe' | 'unsubscribe', room: string): void {
    const stream = room === 'inbox' || isBoard(room) ? { stream: room } : { stream: 'conversation', id: room }
    this.send(op === 'subscribe' ? { op, ...stream, after: this.rooms.get(room)?.cursor ?? null } : { op, ...stream })
  }

  private send(frame: object): void {
    if (this.connected) this.socket?.send(JSON.stringify(frame))
  }

  private expectWords(): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => {
      const socket = this.socket
      if (socket) void this.closed(1006)
      socket?.close()
    }, SILENCE_MS)
  }

  private readonly hurry = (): void => {
    this.failures = 0
    if (this.running && !this.socket) this.connect()
  }

  private drop(): void {
    clearTimeout(this.silence)
    const socket = this.socket
    this.socket = null
    if (socket && socket.readyState <= 1) socket.close()
    this.setConnected(false)
  }

  private setConnected(now: boolean): void {
    if (this.connected === now) return
    this.connected = now
    for (const watcher of this.watchers) watcher()
  }
}
