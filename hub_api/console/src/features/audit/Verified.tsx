/** Whether the log is as it was written: the newest walk over its chain, and a button for another. */
import { Alert, Box, Button, Typography } from '@mui/material'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { dateTime } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import { wordsFor } from '../../shared/words'

const KEY = ['audit-verification']
const LOOK_EVERY_MS = 2000

export function Verified() {
  const { t, i18n } = useTranslation('admin')
  const { t: c } = useTranslation()
  const client = useQueryClient()
  const asked = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/audit/verification', { signal }))).verification,
    refetchInterval: ({ state }) => (state.data && !state.data.finished_at ? LOOK_EVERY_MS : false),
  })
  const verify = useMutation({
    mutationFn: async () => (await data(api.POST('/api/v1/audit/verification'))).verification,
    onSuccess: (newest) => client.setQueryData(KEY, newest),
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  const one = asked.data
  const isRunning = one !== null && !one.finished_at
  const faults = one?.faults ?? []
  const severity = !one || isRunning ? 'info' : faults.length > 0 ? 'error' : 'success'
  const words = () => {
    if (!one) return t('audit.never_verified')
    if (isRunning) return t('audit.verifying')
    return t(faults.length > 0 ? 'audit.changed' : 'audit.intact', {
      at: dateTime(one.finished_at ?? one.requested_at, i18n.language),
      who: one.requested_by_name ?? t('audit.clock'),
      count: one.links ?? 0,
    })
  }
  return (
    <Alert
      severity={verify.isError ? 'error' : severity}
      role="status"
      sx={{ mb: 2 }}
      action={
        <Button color="inherit" size="small" loading={verify.isPending || isRunning} onClick={() => verify.mutate()}>
          {t('audit.verify')}
        </Button>
      }
    >
      {verify.isError ? wordsFor(verify.error, c) : words()}
      {faults.length > 0 && (
        <Box component="ul" sx={{ m: 0, pl: 2 }}>
          {faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </Box>
      )}
      {one?.finished_at && (
        <Typography variant="caption" component="p" sx={{ m: 0, overflowWrap: 'anywhere' }}>
          {t('audit.head', { head: one.head ?? '' })}
          {(one.unsealed ?? 0) > 0 && ` · ${t('audit.unsealed', { count: one.unsealed ?? 0 })}`}
          {(one.archived ?? 0) > 0 && ` · ${t('audit.archived', { count: one.archived ?? 0 })}`}
          {(one.other_keys ?? []).length > 0 &&
            ` · ${t('audit.other_keys', { keys: (one.other_keys ?? []).join(', ') })}`}
        </Typography>
      )}
    </Alert>
  )
}
