/** Signing in: password, then the second factor where there is one. */
import { Alert, Box, Link, Paper, Stack, Typography } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { atHub } from '../../api/address'
import { LANGUAGES, type Language, setLanguage } from '../../app/i18n'
import { useDoor } from '../../app/session'
import { CodeForm } from './CodeForm'
import { PasswordForm } from './PasswordForm'

export interface Challenge {
  token: string
  methods: string[]
}

export function SignInPage({ ended, onCredentials }: { ended: boolean; onCredentials: () => void }) {
  const { t, i18n } = useTranslation()
  const { enter } = useDoor()
  const [challenge, setChallenge] = useState<Challenge | null>(null)
  const back = encodeURIComponent(location.pathname + location.search)
  const other: Language = i18n.language === 'en' ? 'pt-BR' : 'en'
  return (
    <Box component="main" sx={{ flex: 1, display: 'grid', placeItems: 'center', p: 2, bgcolor: 'background.default' }}>
      <Paper variant="outlined" sx={{ width: '100%', maxWidth: 400, p: { xs: 3, sm: 4 } }}>
        <Stack sx={{ gap: 2 }}>
          <Stack direction="row" sx={{ gap: 1.5, alignItems: 'center' }}>
            <Box component="img" src="icon.svg" alt="" sx={{ width: 44, height: 44, borderRadius: 2 }} />
            <Box>
              <Typography component="h1" variant="h6" sx={{ lineHeight: 1.2 }}>
                Telecom Chat
              </Typography>
              <Typography variant="body2" sx={{ color: 'text.secondary' }}>
                {t('sign_in.subtitle')}
              </Typography>
            </Box>
          </Stack>
          {ended && <Alert severity="info">{t('sign_in.ended')}</Alert>}
          {challenge ? (
            <CodeForm challenge={challenge} onEntered={() => void enter()} onBack={() => setChallenge(null)} />
          ) : (
            <PasswordForm onChallenge={setChallenge} onEntered={() => void enter()} onCredentials={onCredentials} />
          )}
          <Stack direction="row" sx={{ gap: 2, flexWrap: 'wrap', justifyContent: 'space-between' }}>
            <Link href={atHub('/senha')} variant="body2">
              {t('sign_in.forgot')}
            </Link>
            <Link href={atHub(`/entrar?to=${back}`)} variant="body2">
              {t('sign_in.other_ways')}
            </Link>
            <Link component="button" type="button" variant="body2" lang={other} onClick={() => void setLanguage(other)}>
              {LANGUAGES[other]}
            </Link>
          </Stack>
        </Stack>
      </Paper>
    </Box>
  )
}
