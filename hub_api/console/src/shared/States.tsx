/** What stands where there is nothing to show: not yet, nothing, or a failure with a way out. */
import { Alert, Box, Button, CircularProgress, Typography } from '@mui/material'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { wordsFor } from './words'

export function Loading() {
  const { t } = useTranslation()
  return (
    <Box sx={{ display: 'grid', placeItems: 'center', flex: 1, minHeight: 120 }}>
      <CircularProgress aria-label={t('state.loading')} />
    </Box>
  )
}

export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <Box
      sx={{
        display: 'grid',
        placeContent: 'center',
        justifyItems: 'center',
        flex: 1,
        p: 3,
        gap: 1,
        textAlign: 'center',
      }}
    >
      <Box aria-hidden sx={{ color: 'text.secondary', lineHeight: 0 }}>
        {icon}
      </Box>
      <Typography sx={{ fontWeight: 600 }}>{title}</Typography>
      {children && (
        <Typography variant="body2" sx={{ color: 'text.secondary', maxWidth: 360 }}>
          {children}
        </Typography>
      )}
    </Box>
  )
}

export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation()
  const again = (
    <Button color="inherit" size="small" onClick={onRetry}>
      {t('state.retry')}
    </Button>
  )
  return (
    <Box sx={{ p: 2 }}>
      <Alert severity="error" action={again}>
        {wordsFor(error, t)}
      </Alert>
    </Box>
  )
}
