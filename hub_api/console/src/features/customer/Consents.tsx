import { Chip, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { dateTime } from '../../shared/format'
import { Failed } from '../../shared/States'
import { Section } from './Parts'

const SCOPES = ['marketing', 'utility', 'all', 'service'] as const

/** The newest decision of each kind; the ledger has them all. */
export function Consents({ customerId }: { customerId: string }) {
  const { t: d, i18n } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['customer', customerId, 'consents'],
    staleTime: 60_000,
    queryFn: async ({ signal }) =>
      (
        await data(
          api.GET('/api/v1/customers/{customer_id}/consents', {
            params: { path: { customer_id: customerId } },
            signal,
          }),
        )
      ).items,
  })
  if (asked.isPending) return null
  const newest = SCOPES.flatMap((scope) => asked.data?.find((one) => one.scope === scope) ?? [])
  return (
    <Section title={d('panel.consents')}>
      {asked.isError ? (
        <Failed error={asked.error} onRetry={() => void asked.refetch()} />
      ) : newest.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {d('panel.no_consents')}
        </Typography>
      ) : (
        newest.map((one) => (
          <Stack key={one.id} direction="row" sx={{ gap: 1, alignItems: 'center', py: 0.25 }}>
            <Typography variant="body2" sx={{ flex: 1 }}>
              {d(`panel.${one.scope}`)}
            </Typography>
            <Chip
              size="small"
              variant="outlined"
              color={one.granted ? 'success' : 'error'}
              label={d(one.granted ? 'panel.granted' : 'panel.refused')}
              title={dateTime(one.occurred_at, i18n.language)}
            />
          </Stack>
        ))
      )}
    </Section>
  )
}
