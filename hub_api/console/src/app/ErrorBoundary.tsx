import { Alert, Box, Button, Stack, Typography } from '@mui/material'
import { Component, type ReactNode } from 'react'
import { Translation } from 'react-i18next'

/** What is shown when drawing fails: the rest of the page lives, and there is a way back. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <Translation>
        {(t) => (
          <Box sx={{ p: 3, maxWidth: 640, mx: 'auto' }}>
            <Alert severity="error">
              <Stack sx={{ gap: 1, alignItems: 'flex-start' }}>
                <Typography sx={{ fontWeight: 600 }}>{t('state.broken')}</Typography>
                <Typography variant="body2">{error.message}</Typography>
                <Stack direction="row" sx={{ gap: 1 }}>
                  <Button size="small" variant="contained" onClick={() => this.setState({ error: null })}>
                    {t('state.retry')}
                  </Button>
                  <Button size="small" onClick={() => location.reload()}>
                    {t('state.reload')}
                  </Button>
                </Stack>
              </Stack>
            </Alert>
          </Box>
        )}
      </Translation>
    )
  }
}
