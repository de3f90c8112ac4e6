/**
 * Keys that do something from anywhere on the page, unless one is writing or a dialog is open.
 *
 * They can be turned off, as WCAG 2.2 (2.1.4) wants it of single characters.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'

/** All there are, in the order of the help. `keys` with a space are pressed one after the other. */
export const SHORTCUTS = [
  { keys: 'j', does: 'next' },
  { keys: 'k', does: 'previous' },
  { keys: 'g m', does: 'mine' },
  { keys: 'g q', does: 'queue' },
  { keys: 'g a', does: 'all' },
  { keys: 'g r', does: 'resolved' },
  { keys: '/', does: 'search' },
  { keys: 'r', does: 'write' },
  { keys: 'n', does: 'note' },
  { keys: 'm', does: 'template' },
  { keys: 'a', does: 'take' },
  { keys: 'x', does: 'take_next' },
  { keys: 't', does: 'transfer' },
  { keys: 'e', does: 'resolve' },
  { keys: 's', does: 'snooze' },
  { keys: 'l', does: 'labels' },
  { keys: 'p', does: 'macro' },
  { keys: 'c', does: 'customer' },
  { keys: 'u', does: 'back' },
  { keys: '?', does: 'help' },
] as const

export type Deed = (typeof SHORTCUTS)[number]['does']
export type Deeds = Partial<Record<Deed, () => void>>

const OFF = 'hub.shortcuts_off'
const SEQUENCE_MS = 1200
const listening = new Set<{ current: Deeds }>()
const watchers = new Set<() => void>()

export function areShortcutsOn(): boolean {
  return localStorage.getItem(OFF) === null
}

export function setShortcutsOn(on: boolean): void {
  if (on) localStorage.removeItem(OFF)
  else localStorage.setItem(OFF, 'yes')
  for (const watcher of watchers) watcher()
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore((watcher) => {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }, areShortcutsOn)
}

/** Do these while the component is there; of two components with the same deed the one drawn last. */
export function useShortcuts(deeds: Deeds): void {
  const latest = useRef(deeds)
  useEffect(() => {
    latest.current = deeds
  })
  useEffect(() => {
    listening.add(latest)
    return () => {
      listening.delete(latest)
    }
  }, [])
}

let before = { key: '', at: 0 }

/** The deed that this key press asks for, if any. */
export function deedOf(event: KeyboardEvent, now = Date.now()): Deed | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isBusy(event.target)) return null
  const key = event.key
  const pair = now - before.at < SEQUENCE_MS ? `${before.key} ${key}` : ''
  before = { key, at: now }
  const found = SHORTCUTS.find((one) => one.keys === pair) ?? SHORTCUTS.find((one) => one.keys === key)
  return found?.does ?? null
}

function isBusy(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]')) return true
  const element = target instanceof HTMLElement ? target : null
  return Boolean(element?.closest('input, textarea, select, [contenteditable="true"]'))
}

/** Listen to the keyboard; returns what ends it. */
export function startShortcuts(): () => void {
  const press = (event: KeyboardEvent) => {
    if (!areShortcutsOn()) return
    const deed = deedOf(event)
    const doing = deed && [...listening].reverse().find((one) => one.current[deed])
    if (!deed || !doing) return
    event.preventDefault()
    doing.current[deed]?.()
  }
  window.addEventListener('keydown', press)
  return () => window.removeEventListener('keydown', press)
}
