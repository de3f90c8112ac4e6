/** The one `Live` of the page, for React. */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { socketUrl } from '../api/address'
import { api } from '../api/client'
import { type Listener, Live } from './socket'

export const live = new Live({
  url: socketUrl(),
  // A 401 has been answered by a refresh before it comes here; what cannot be reached may live.
  sessionLives: () =>
    api.GET('/api/v1/auth/me').then(
      ({ response }) => response.status !== 401,
      () => true,
    ),
})

/** How often the pages ask by REST while no socket is open. */
export const POLL_MS = 5000

/** Whether frames come. */
export function useConnected(): boolean {
  return useSyncExternalStore(live.watch, () => live.connected)
}

/** The pause between two readings: none while frames come. */
export function usePoll(): number | false {
  return useConnected() ? false : POLL_MS
}

/** Listen to a room while the component is there. The listener may change from one drawing to the next. */
export function useRoom(room: string, listener: Listener): void {
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(
    () =>
      live.subscribe(room, {
        onFrame: (frame) => latest.current.onFrame(frame),
        onGap: () => latest.current.onGap(),
      }),
    [room],
  )
}
