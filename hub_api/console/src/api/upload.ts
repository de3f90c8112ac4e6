/** A file on its way to the hub. By XMLHttpRequest, for `fetch` does not tell how far a body has come. */
import { atHub } from './address'
import { Problem, problemFrom } from './problem'
import { csrfToken, refresh } from './session'
import type { MediaFile } from './types'

/** Most bytes of each kind that the channel takes (channel document §3.5), by MIME type; what is not here is refused. */
const MB = 1024 * 1024
const OFFICE = 'application/vnd.openxmlformats-officedocument'
const TAKEN: Record<string, { kind: Kind; most: number }> = {
  'image/jpeg': { kind: 'image', most: 5 * MB },
  'image/png': { kind: 'image', most: 5 * MB },
  'image/webp': { kind: 'sticker', most: 500 * 1024 },
  'video/mp4': { kind: 'video', most: 16 * MB },
  'video/3gpp': { kind: 'video', most: 16 * MB },
  'audio/aac': { kind: 'audio', most: 16 * MB },
  'audio/amr': { kind: 'audio', most: 16 * MB },
  'audio/mpeg': { kind: 'audio', most: 16 * MB },
  'audio/mp4': { kind: 'audio', most: 16 * MB },
  'audio/ogg': { kind: 'audio', most: 16 * MB },
  'text/plain': { kind: 'document', most: 100 * MB },
  'application/pdf': { kind: 'document', most: 100 * MB },
  'application/msword': { kind: 'document', most: 100 * MB },
  'application/vnd.ms-excel': { kind: 'document', most: 100 * MB },
  'application/vnd.ms-powerpoint': { kind: 'document', most: 100 * MB },
  [`${OFFICE}.wordprocessingml.document`]: { kind: 'document', most: 100 * MB },
  [`${OFFICE}.spreadsheetml.sheet`]: { kind: 'document', most: 100 * MB },
  [`${OFFICE}.presentationml.presentation`]: { kind: 'document', most: 100 * MB },
}

export type Kind = 'image' | 'video' | 'audio' | 'document' | 'sticker'

/** What the field for files offers. */
export const ACCEPT = Object.keys(TAKEN).join(',')

/** As what a file may go, or why it may not. The hub looks at the bytes again; this spares a long way for nothing. */
export function judge(file: {
  type: string
  size: number
}): { kind: Kind } | { refused: 'type' | 'size'; most: number } {
  const rule = TAKEN[file.type.split(';')[0] ?? '']
  if (!rule) return { refused: 'type', most: 0 }
  if (file.size > rule.most) return { refused: 'size', most: rule.most }
  return { kind: rule.kind }
}

/**
 * Send a file; `onProgress` is told the share (0 to 1) that has left. The same `key` keeps one file however often it is sent.
 * Raises Problem.
 */
export async function upload(file: File, key: string, onProgress: (share: number) => void): Promise<MediaFile> {
  const askedAt = Date.now()
  const first = await send(file, key, onProgress)
  if (first.status !== 401) return read(first)
  const refreshed = await refresh(askedAt)
  if (refreshed !== 'refreshed') throw new Problem(0, 'offline', 'the session could not be renewed')
  return read(await send(file, key, onProgress))
}

function read(answer: { status: number; body: unknown }): MediaFile {
  if (answer.status === 201) return answer.body as MediaFile
  if (answer.status === 0) throw new Problem(0, 'offline', 'the file did not reach the hub')
  throw problemFrom(answer.status, answer.body)
}

function send(
  file: File,
  key: string,
  onProgress: (share: number) => void,
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append('file', file, file.name)
    request.open('POST', atHub('/api/v1/media'))
    request.responseType = 'json'
    request.setRequestHeader('X-CSRF-Token', csrfToken())
    request.setRequestHeader('Idempotency-Key', key)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onloadend = () => resolve({ status: request.status, body: request.response })
    request.send(form)
  })
}
