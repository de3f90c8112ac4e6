import { Tooltip } from '@mui/material'
import { Ban, Check, CheckCheck, CircleHelp, Clock, Pause, TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Message } from '../../api/types'
import { dateTime } from '../../shared/format'

const ICONS = {
  queued: Clock,
  claimed: Clock,
  accepted: Check,
  sent: Check,
  held: Pause,
  delivered: CheckCheck,
  read: CheckCheck,
  played: CheckCheck,
  failed: TriangleAlert,
  unknown: CircleHelp,
  cancelled: Ban,
} as const

type State = keyof typeof ICONS

/** How far a message of ours has come, in words too. */
export function Ticks({ message: one }: { message: Message }) {
  const { t, i18n } = useTranslation()
  if (!(one.state in ICONS)) return null
  const state = one.state as State
  const Icon = ICONS[state]
  const at = { sent: one.sent_at, delivered: one.delivered_at, read: one.read_at, failed: one.failed_at }[
    state as 'sent'
  ]
  const words = t(`message_state.${state}`)
  const color = state === 'read' || state === 'played' ? 'info' : state === 'failed' ? 'error' : null
  return (
    <Tooltip title={at ? `${words}: ${dateTime(at, i18n.language)}` : words}>
      <Icon
        size={15}
        role="img"
        aria-label={words}
        data-state={state}
        color={color ? `var(--mui-palette-${color}-main)` : 'currentColor'}
      />
    </Tooltip>
  )
}
