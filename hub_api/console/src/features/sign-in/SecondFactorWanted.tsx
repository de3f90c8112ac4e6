import { Alert, Box, Button, Paper, Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { atHub, consoleUrl } from '../../api/address'
import { useDoor } from '../../app/session'

/** The role wants a second factor that is not set up: the hub's own page does that, and leads back here. */
export function SecondFactorWanted() {
  const { t } = useTranslation()
  const { leave } = useDoor()
  return (
    <Box component="main" sx={{ flex: 1, display: 'grid', placeItems: 'center', p: 2 }}>
      <Paper variant="outlined" sx={{ maxWidth: 440, p: 4 }}>
        <Stack sx={{ gap: 2 }}>
          <Typography component="h1" variant="h6">
            {t('sign_in.set_up_title')}
          </Typography>
          <Alert severity="info">{t('sign_in.set_up')}</Alert>
          <Button variant="contained" href={atHub(`/entrar?to=${encodeURIComponent(consoleUrl.pathname)}`)}>
            {t('sign_in.set_up_go')}
          </Button>
          <Button onClick={() => void leave()}>{t('account.sign_out')}</Button>
        </Stack>
      </Paper>
    </Box>
  )
}
