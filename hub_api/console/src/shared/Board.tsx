/** What stands in a live board's place when it is not told. */
import { Alert } from '@mui/material'
import { CloudOff, Lock } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Empty } from './States'

/** The hub tells it to others only. */
export function Refused() {
  const { t } = useTranslation('boards')
  return (
    <div role="alert">
      <Empty icon={<Lock size={40} />} title={t('refused')} />
    </div>
  )
}

/** Nothing came yet, and no socket is open by which it could. */
export function Unreached() {
  const { t } = useTranslation('boards')
  return (
    <Alert severity="warning" icon={<CloudOff size={20} />} sx={{ m: 2 }}>
      {t('stale')}
    </Alert>
  )
}
