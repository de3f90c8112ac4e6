import { Chip, Tooltip } from '@mui/material'
import { Hourglass, Lock } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { dateTime, duration } from '../../shared/format'
import { useNow } from '../../shared/useNow'

const SOON_MS = 60 * 60_000

/** How long anything may still be written: 24 h after the customer's last word, then templates only. */
export function WindowCountdown({ until, isClosed }: { until: string | null; isClosed: boolean }) {
  const { t, i18n } = useTranslation()
  const now = useNow(15_000)
  const left = until ? Date.parse(until) - now : 0
  if (isClosed) return null
  if (!until || left <= 0) {
    return (
      <Tooltip title={t('window.closed_help')}>
        <Chip size="small" color="error" variant="outlined" icon={<Lock size={13} />} label={t('window.closed')} />
      </Tooltip>
    )
  }
  return (
    <Tooltip title={t('window.until', { at: dateTime(until, i18n.language) })}>
      <Chip
        size="small"
        variant="outlined"
        color={left < SOON_MS ? 'warning' : 'default'}
        icon={<Hourglass size={13} />}
        label={t('window.open', { left: duration(left, i18n.language) })}
      />
    </Tooltip>
  )
}

/** Whether anything but a template may go out now. */
export function isWindowOpen(until: string | null, now: number): boolean {
  return until !== null && Date.parse(until) > now
}
