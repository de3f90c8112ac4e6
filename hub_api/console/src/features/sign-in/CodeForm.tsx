import { Alert, Button, MenuItem, Stack, TextField, Typography } from '@mui/material'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { wordsFor } from '../../shared/words'
import type { Challenge } from './SignInPage'

const METHODS = ['totp', 'recovery', 'message'] as const
type Method = (typeof METHODS)[number]

interface Props {
  challenge: Challenge
  onEntered: () => void
  onBack: () => void
}

/** The second factor: a code of the app, a recovery code, or one sent by message. */
export function CodeForm({ challenge, onEntered, onBack }: Props) {
  const { t } = useTranslation()
  const methods = METHODS.filter((one) => challenge.methods.includes(one))
  const [method, setMethod] = useState<Method>(methods[0] ?? 'totp')
  const [code, setCode] = useState('')
  const answer = useMutation({
    mutationFn: () =>
      data(api.POST('/api/v1/auth/second-factor', { body: { challenge: challenge.token, method, code } })),
    onSuccess: onEntered,
  })
  const send = useMutation({
    mutationFn: () => data(api.POST('/api/v1/auth/second-factor/message', { body: { challenge: challenge.token } })),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    answer.mutate()
  }
  const failure = answer.error ?? send.error
  return (
    <Stack component="form" onSubmit={submit} sx={{ gap: 2 }}>
      <Typography component="h2" variant="subtitle1" sx={{ fontWeight: 600 }}>
        {t('sign_in.second_factor')}
      </Typography>
      {failure && <Alert severity="error">{wordsFor(failure, t)}</Alert>}
      {send.isSuccess && method === 'message' && <Alert severity="success">{t('sign_in.code_sent')}</Alert>}
      {methods.length > 1 && (
        <TextField
          select
          label={t('sign_in.method')}
          value={method}
          onChange={(event) => setMethod(event.target.value as Method)}
        >
          {methods.map((one) => (
            <MenuItem key={one} value={one}>
              {t(`sign_in.methods.${one}`)}
            </MenuItem>
          ))}
        </TextField>
      )}
      {method === 'message' && (
        <Button variant="outlined" onClick={() => send.mutate()} loading={send.isPending}>
          {t('sign_in.send_code')}
        </Button>
      )}
      <TextField
        key={method}
        label={t('sign_in.code')}
        autoComplete="one-time-code"
        autoFocus
        required
        value={code}
        onChange={(event) => setCode(event.target.value)}
        slotProps={{ htmlInput: { inputMode: method === 'recovery' ? 'text' : 'numeric', maxLength: 20 } }}
      />
      <Button type="submit" variant="contained" size="large" loading={answer.isPending}>
        {t('sign_in.confirm')}
      </Button>
      <Button onClick={onBack}>{t('sign_in.back')}</Button>
    </Stack>
  )
}
