/** The microphone: a voice message from the press of a button on to the next one. */
import { useEffect, useRef, useState } from 'react'
import { oggFromWebm } from './ogg'

const LONGEST_MS = 15 * 60_000

export interface Recorder {
  /** Whether this browser can record what the channel takes. */
  can: boolean
  /** When the recording began (ms); null: none is under way. */
  since: number | null
  /** The microphone was not given. */
  refused: boolean
  start(): Promise<void>
  /** The voice message; null when nothing was said, or the recording cannot be used. */
  finish(): Promise<File | null>
  cancel(): void
}

function typeOf(): 'audio/ogg;codecs=opus' | 'audio/webm;codecs=opus' | null {
  if (typeof MediaRecorder === 'undefined' || !navigator.mediaDevices) return null
  if (MediaRecorder.isTypeSupported('audio/ogg;codecs=opus')) return 'audio/ogg;codecs=opus'
  return MediaRecorder.isTypeSupported('audio/webm;codecs=opus') ? 'audio/webm;codecs=opus' : null
}

export function useRecorder(): Recorder {
  const running = useRef<{ recorder: MediaRecorder; pieces: Blob[] } | null>(null)
  const [since, setSince] = useState<number | null>(null)
  const [refused, setRefused] = useState(false)
  const type = typeOf()

  const cancel = () => {
    const held = running.current
    running.current = null
    setSince(null)
    for (const track of held?.recorder.stream.getTracks() ?? []) track.stop()
  }
  useEffect(() => {
    return () => {
      for (const track of running.current?.recorder.stream.getTracks() ?? []) track.stop()
    }
  }, [])

  const start = async () => {
    if (!type) return
    setRefused(false)
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } })
      const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 32_000 })
      const held = { recorder, pieces: [] as Blob[] }
      recorder.ondataavailable = (event) => held.pieces.push(event.data)
      recorder.start(1000)
      running.current = held
      setSince(Date.now())
      setTimeout(() => running.current === held && recorder.pause(), LONGEST_MS)
    } catch {
      setRefused(true)
    }
  }
  const finish = async () => {
    const held = running.current
    if (!held || !type) return null
    await new Promise((resolve) => {
      held.recorder.onstop = resolve
      held.recorder.stop()
    })
    cancel()
    const recorded = new Uint8Array(await new Blob(held.pieces).arrayBuffer())
    if (recorded.length === 0) return null
    const sound = type.startsWith('audio/ogg') ? recorded : oggFromWebm(recorded)
    return new File([sound], 'voice.ogg', { type: 'audio/ogg' })
  }
  return { can: type !== null, since, refused, start, finish, cancel }
}
