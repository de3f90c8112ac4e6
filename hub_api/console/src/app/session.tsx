/** Who is signed in. One place holds it; everything below `SessionProvider` asks here. */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { api, data, whenSessionEnds } from '../api/client'
import { problemOf } from '../api/problem'
import { csrfToken } from '../api/session'
import type { Me } from '../api/types'
import { forgetAll } from './forget'

export type Session =
  | { status: 'checking' }
  | { status: 'unreachable'; error: unknown }
  | { status: 'out'; ended: boolean }
  | { status: 'in'; me: Me }

interface Door {
  session: Session
  /** Ask the hub who we are: after signing in, and again when it could not be reached. */
  enter(): Promise<void>
  leave(): Promise<void>
}

const SessionContext = createContext<Door | null>(null)

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [session, setSession] = useState<Session>({ status: 'checking' })
  const last = useRef<string | null>(null)

  const enter = useCallback(async () => {
    try {
      const me = await data(api.GET('/api/v1/auth/me'))
      if (last.current !== null && last.current !== me.id) forgetAll() // somebody else at the same screen
      last.current = me.id
      setSession({ status: 'in', me })
    } catch (error) {
      const out = problemOf(error).status === 401
      setSession(out ? { status: 'out', ended: false } : { status: 'unreachable', error })
    }
  }, [])

  const leave = useCallback(async () => {
    await api.POST('/api/v1/auth/logout').catch(() => undefined) // away or ended already: here it is over in any case
    client.clear()
    forgetAll()
    setSession({ status: 'out', ended: false })
  }, [client])

  useEffect(() => {
    whenSessionEnds(() => {
      client.clear()
      setSession((before) => ({ status: 'out', ended: before.status === 'in' }))
    })
    if (csrfToken()) void enter()
    else setSession({ status: 'out', ended: false }) // nobody has signed in here: no request is needed to know it
  }, [client, enter])

  const door = useMemo(() => ({ session, enter, leave }), [session, enter, leave])
  return <SessionContext value={door}>{children}</SessionContext>
}

export function useDoor(): Door {
  const door = useContext(SessionContext)
  if (!door) throw new Error('useDoor wants a SessionProvider above it')
  return door
}

/** Who is signed in. Only below the pages that want somebody. */
export function useMe(): Me {
  const { session } = useDoor()
  if (session.status !== 'in') throw new Error('nobody is signed in')
  return session.me
}

/** Whether the signed-in person may do this; the hub decides, this only spares doors that would be shut. */
export function useMay(permission: string): boolean {
  return useMe().permissions.includes(permission)
}

const STREAMS = ['conversations:read', 'queues:read', 'agents:read', 'analytics:read']

/** Whether there is a live stream for the signed-in person: the socket is shut to who may hear none. */
export function useMayListen(): boolean {
  const { permissions } = useMe()
  return STREAMS.some((one) => permissions.includes(one))
}
