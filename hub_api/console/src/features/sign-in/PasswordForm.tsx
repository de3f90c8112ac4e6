import { Alert, Button, Stack, TextField } from '@mui/material'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { wordsFor } from '../../shared/words'
import type { Challenge } from './SignInPage'

interface Props {
  onChallenge: (challenge: Challenge) => void
  onEntered: () => void
  /** The person has begun: what comes after signing in may be loaded. */
  onCredentials: () => void
}

export function PasswordForm({ onChallenge, onEntered, onCredentials }: Props) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const attempt = useMutation({
    mutationFn: () => data(api.POST('/api/v1/auth/login', { body: { email, password, transport: 'cookie' } })),
    onSuccess: (told) => {
      if (told.challenge) onChallenge({ token: told.challenge, methods: told.methods ?? ['totp'] })
      else onEntered()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onCredentials()
    attempt.mutate()
  }
  return (
    <Stack component="form" onSubmit={submit} sx={{ gap: 2 }}>
      {attempt.error && <Alert severity="error">{wordsFor(attempt.error, t)}</Alert>}
      <TextField
        label={t('sign_in.email')}
        type="email"
        autoComplete="username"
        autoFocus
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <TextField
        label={t('sign_in.password')}
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button type="submit" variant="contained" size="large" loading={attempt.isPending}>
        {t('sign_in.enter')}
      </Button>
    </Stack>
  )
}
