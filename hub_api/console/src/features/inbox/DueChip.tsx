import { Chip } from '@mui/material'
import { Timer, TimerOff } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { dateTime, duration } from '../../shared/format'
import { useNow } from '../../shared/useNow'

const SOON_MS = 5 * 60_000

/** When the next promise of service is due, or for how long it has been broken. */
export function DueChip({ due }: { due: string | null }) {
  const { t: d, i18n } = useTranslation('desk')
  const left = Date.parse(due ?? '') - useNow(15_000)
  if (!due) return null
  const isLate = left <= 0
  return (
    <Chip
      size="small"
      variant="outlined"
      color={isLate ? 'error' : left < SOON_MS ? 'warning' : 'default'}
      icon={isLate ? <TimerOff size={13} /> : <Timer size={13} />}
      label={d(isLate ? 'due.late' : 'due.in', { time: duration(Math.abs(left), i18n.language) })}
      title={d('due.at', { at: dateTime(due, i18n.language) })}
    />
  )
}
