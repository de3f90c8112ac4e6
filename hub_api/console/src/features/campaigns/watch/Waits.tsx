/** Why nothing leaves although somebody waits, and what keeps messages in the outbox. */
import { Alert, Box } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Monitored } from './figures'

const WHY = ['per_day', 'smooth_start', 'winner', 'no_number', 'unavailable'] as const
const PUT_OFF = ['quota', 'pair', 'template'] as const

export function Waits({ now }: { now: Monitored }) {
  const { t, i18n } = useTranslation('campaigns')
  const why = now.waits_for
  const held = PUT_OFF.filter((one) => now.put_off[one])
  if (!why && held.length === 0) return null
  const stuck = why === 'no_number' || why === 'unavailable' || held.includes('template')
  return (
    <Alert severity={stuck ? 'warning' : 'info'} sx={{ mt: 1 }}>
      {why && (
        <Box>
          {t(`monitor.why.${why as (typeof WHY)[number]}`, { defaultValue: t('monitor.why_unnamed', { code: why }) })}
        </Box>
      )}
      {held.map((one) => {
        const count = now.put_off[one] ?? 0
        return (
          <Box key={one}>{t(`monitor.put_off.${one}`, { count, number: count.toLocaleString(i18n.language) })}</Box>
        )
      })}
    </Alert>
  )
}
