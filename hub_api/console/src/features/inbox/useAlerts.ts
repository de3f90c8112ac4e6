/** Tell of what comes in while one looks elsewhere: the number in the page's title, a notice, a sound. */
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { Conversation } from '../../api/types'
import { useMe } from '../../app/session'
import { useRoom } from '../../live/useLive'
import { isOn, notify, ring } from './alerts'
import { useConversations } from './useConversations'

const NAME = 'Telecom Chat'

/** What has happened since `before` that its agent should know: it is his now, or his customer wrote. */
export function newsOf(before: Conversation | undefined, now: Conversation, me: string): 'assigned' | 'wrote' | null {
  if (now.agent_id !== me || (now.state !== 'assigned' && now.state !== 'waiting_customer')) return null
  if (before?.agent_id !== me) return 'assigned'
  // The channel tells whole seconds: the first word without an answer may have the time of the last one with one.
  const isNew = now.last_customer_message_at !== before.last_customer_message_at || !before.unanswered_since
  return now.unanswered_since && isNew ? 'wrote' : null
}

export function useAlerts(openId: string | null): void {
  const { t: d } = useTranslation('desk')
  const me = useMe().id
  const [, go] = useLocation()
  const mine = useConversations({ list: 'mine', me })
  const rows = mine.data?.pages.flatMap((page) => page.items) ?? []
  const unanswered = rows.filter((one) => one.unanswered_since).length
  const known = useRef(new Map<string, Conversation>())
  for (const one of rows) if (!known.current.has(one.id)) known.current.set(one.id, one)

  useEffect(() => {
    document.title = unanswered > 0 ? `(${unanswered}) ${NAME}` : NAME
    return () => {
      document.title = NAME
    }
  }, [unanswered])

  useRoom('inbox', {
    onFrame: (frame) => {
      if (frame.type !== 'conversation') return
      const now = frame.data
      const news = newsOf(known.current.get(now.id), now, me)
      known.current.set(now.id, now)
      const looks = document.visibilityState === 'visible' && document.hasFocus() && openId === now.id
      if (!news || looks || !mine.data) return
      if (isOn('sound')) ring()
      if (isOn('notices')) notify(now.customer_name ?? NAME, d(`alerts.${news}`), now.id, () => go(`/mine/${now.id}`))
    },
    onGap: () => undefined,
  })
}
