/**
 * What was written here and is on its way to the hub. Shown at once; a failure stays on the message until it is sent again or
 * thrown away. The same key goes with every attempt, so the hub sends a message once however often it is asked. A file goes
 * first, and is not sent again when only its message failed.
 */
import { useSyncExternalStore } from 'react'
import { api, data } from '../../api/client'
import { type Problem, problemOf } from '../../api/problem'
import type { paths } from '../../api/schema'
import { type Kind, upload } from '../../api/upload'
import { forgetAtLeave } from '../../app/forget'

type Sending = paths['/api/v1/conversations/{conversation_id}/messages']['post']
type MessageBody = Sending['requestBody']['content']['application/json']
export type TemplateBody = Extract<MessageBody, { type: 'template' }>

/** A file of a draft. `url` shows it here, `share` (0 to 1) of it has left, `mediaId` is the hub's once it has it. */
export interface DraftFile {
  file: File
  kind: Kind
  isVoice: boolean
  url: string
  share: number
  mediaId: string | null
}

export interface Draft {
  key: string
  conversationId: string
  at: string
  text: string
  replyTo: string | null
  state: 'sending' | 'accepted' | 'failed'
  messageId: string | null
  problem: Problem | null
  file?: DraftFile
  template?: TemplateBody
}

type More = Pick<Draft, 'file' | 'template'> & { replyTo?: string | null }
type Post = (draft: Draft, change: (change: Partial<Draft>) => void) => Promise<{ id: string }>

const ATTEMPTS = 3
const PAUSE_MS = 1000

export class Outbox {
  private drafts: Draft[] = []
  private readonly watchers = new Set<() => void>()
  private readonly shown = new Map<string, Draft[]>()

  constructor(
    private readonly post: Post = postMessage,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** Show a message in its conversation and send it. Resolves when the hub has it, or has refused it. */
  write(conversationId: string, text: string, more: More = {}): Promise<void> {
    const draft = begin(conversationId, text, more)
    this.put([...this.drafts, draft])
    return this.attempt(draft.key)
  }

  /** Show files and send them one after the other; the words go under the first that takes some, else before them. */
  async writeFiles(
    conversationId: string,
    files: { file: File; kind: Kind; isVoice?: boolean }[],
    text: string,
    replyTo: string | null = null,
  ): Promise<void> {
    const captioned = files.findIndex((one) => one.kind !== 'audio' && one.kind !== 'sticker')
    const made = files.map((one, index) => {
      const url = URL.createObjectURL(one.file)
      const file = { ...one, isVoice: one.isVoice ?? false, url, share: 0, mediaId: null }
      return begin(conversationId, index === captioned ? text : '', { file })
    })
    if (text && captioned < 0) made.unshift(begin(conversationId, text))
    if (made[0]) made[0].replyTo = replyTo
    this.put([...this.drafts, ...made])
    for (const draft of made) await this.attempt(draft.key)
  }

  /** Send a failed one again. */
  again(key: string): Promise<void> {
    this.change(key, { state: 'sending', problem: null })
    return this.attempt(key)
  }

  /** Throw a failed one away, or forget one whose message has come. */
  forget(key: string): void {
    for (const one of this.drafts) if (one.key === key && one.file) URL.revokeObjectURL(one.file.url)
    this.put(this.drafts.filter((one) => one.key !== key))
  }

  /** Forget everything: another person may sign in. */
  clear(): void {
    for (const one of this.drafts) if (one.file) URL.revokeObjectURL(one.file.url)
    this.put([])
  }

  of(conversationId: string): Draft[] {
    const found = this.shown.get(conversationId) ?? this.drafts.filter((one) => one.conversationId === conversationId)
    this.shown.set(conversationId, found)
    return found
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  private async attempt(key: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const draft = this.drafts.find((one) => one.key === key)
      if (!draft) return
      try {
        const { id } = await this.post(draft, (change) => this.change(key, change))
        return this.change(key, { state: 'accepted', messageId: id })
      } catch (error) {
        const problem = problemOf(error)
        if (!problem.passes || attempt === ATTEMPTS) return this.change(key, { state: 'failed', problem })
        await new Promise((resolve) => setTimeout(resolve, this.pauseMs * attempt))
      }
    }
  }

  private change(key: string, change: Partial<Draft>): void {
    this.put(this.drafts.map((one) => (one.key === key ? { ...one, ...change } : one)))
  }

  private put(drafts: Draft[]): void {
    this.drafts = drafts
    this.shown.clear()
    for (const watcher of this.watchers) watcher()
  }
}

function begin(conversationId: string, text: string, { replyTo = null, ...more }: More = {}): Draft {
  return {
    key: crypto.randomUUID(),
    conversationId,
    at: new Date().toISOString(),
    text,
    replyTo,
    state: 'sending',
    messageId: null,
    problem: null,
    ...more,
  }
}

async function postMessage(draft: Draft, change: (change: Partial<Draft>) => void): Promise<{ id: string }> {
  let { file } = draft
  if (file && !file.mediaId) {
    const sending = file
    const kept = await upload(sending.file, `${draft.key}-file`, (share) => change({ file: { ...sending, share } }))
    file = { ...sending, share: 1, mediaId: kept.id }
    change({ file })
  }
  const body = draft.template ?? { ...bodyOf(draft, file), ...(draft.replyTo ? { reply_to: draft.replyTo } : {}) }
  const params = { path: { conversation_id: draft.conversationId }, header: { 'idempotency-key': draft.key } }
  return data(api.POST('/api/v1/conversations/{conversation_id}/messages', { params, body: body as MessageBody }))
}

/** The object of the send call for a text, or for a file that the hub has. */
export function bodyOf(draft: Pick<Draft, 'text'>, file?: DraftFile): Record<string, unknown> {
  if (!file?.mediaId) return { type: 'text', text: draft.text, preview_url: true }
  const caption = draft.text && file.kind !== 'audio' && file.kind !== 'sticker' ? { caption: draft.text } : {}
  const more = file.isVoice ? { voice: true } : file.kind === 'document' ? { filename: file.file.name } : {}
  return { type: file.kind, [file.kind]: { id: file.mediaId, ...caption, ...more } }
}

export const outbox = new Outbox()
forgetAtLeave(() => outbox.clear())

export function useDrafts(conversationId: string): Draft[] {
  return useSyncExternalStore(outbox.watch, () => outbox.of(conversationId))
}
