/** What campaigns meant for the customer, with the way to why he received it. */
import { Link as MuiLink, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { dateTime } from '../../shared/format'
import { Failed } from '../../shared/States'
import { Section } from './Parts'

const SHOWN = 10

export function Campaigns({ customerId }: { customerId: string }) {
  const { t: d, i18n } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['customer', customerId, 'campaigns'],
    enabled: useMay('campaigns:read'),
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const params = { path: { customer_id: customerId } }
      return (await data(api.GET('/api/v1/customers/{customer_id}/campaigns', { params, signal }))).items
    },
  })
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  const sent = (asked.data ?? []).filter((one) => one.message_id !== null).slice(0, SHOWN)
  if (sent.length === 0) return null
  return (
    <Section title={d('panel.campaigns')}>
      {sent.map((one) => (
        <MuiLink
          key={one.message_id}
          component={Link}
          href={`/campaigns/message/${one.message_id}`}
          underline="hover"
          sx={{ display: 'block', py: 0.5 }}
        >
          <Typography variant="body2">{one.campaign}</Typography>
          {one.queued_at && (
            <Typography variant="caption" sx={{ color: 'text.secondary' }}>
              {dateTime(one.queued_at, i18n.language)}
            </Typography>
          )}
        </MuiLink>
      ))}
    </Section>
  )
}
