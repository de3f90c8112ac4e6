/** Whether one wants to be told outside of the page: by the browser's notices, by a sound. Kept on this machine. */
import { useSyncExternalStore } from 'react'

const KEYS = { notices: 'hub.notices', sound: 'hub.sound' } as const
export type Way = keyof typeof KEYS
const watchers = new Set<() => void>()

export function isOn(way: Way): boolean {
  if (localStorage.getItem(KEYS[way]) !== 'on') return false
  return way === 'sound' || (typeof Notification !== 'undefined' && Notification.permission === 'granted')
}

/** Turn a way on or off; false when the browser does not allow it. */
export async function turn(way: Way, on: boolean): Promise<boolean> {
  if (on && way === 'notices') {
    if (typeof Notification === 'undefined') return false
    if ((await Notification.requestPermission()) !== 'granted') return false
  }
  if (on) localStorage.setItem(KEYS[way], 'on')
  else localStorage.removeItem(KEYS[way])
  for (const watcher of watchers) watcher()
  if (on && way === 'sound') ring()
  return true
}

export function useIsOn(way: Way): boolean {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => isOn(way),
  )
}

let audio: AudioContext | undefined

/** Two short notes, made here: no file is loaded. */
export function ring(): void {
  audio ??= new AudioContext()
  const start = audio.currentTime
  for (const [index, pitch] of [660, 880].entries()) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()]
    const at = start + index * 0.14
    tone.frequency.value = pitch
    volume.gain.setValueAtTime(0.12, at)
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.2)
    tone.connect(volume).connect(audio.destination)
    tone.start(at)
    tone.stop(at + 0.22)
  }
}

/** A notice outside of the page; it says who, never what. */
export function notify(title: string, body: string, tag: string, onClick: () => void): void {
  const shown = new Notification(title, { body, tag, icon: 'icon-192.png' })
  shown.onclick = () => {
    window.focus()
    onClick()
    shown.close()
  }
}
