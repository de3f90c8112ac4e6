import { Box, Link as MuiLink, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import { dateTime } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import { StateChip } from '../inbox/StateChip'

/** The conversations of a customer that was found, the newest first. */
export function CustomerTalks({ customerId }: { customerId: string }) {
  const { t: d, i18n } = useTranslation('desk')
  const asked = useQuery({
    queryKey: ['customer', customerId, 'conversations'],
    queryFn: async ({ signal }) => {
      const query = { customer_id: customerId, limit: 20 }
      return (await data(api.GET('/api/v1/conversations', { params: { query }, signal }))).items
    },
  })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (asked.data.length === 0) return <Typography variant="body2">{d('search.no_talks')}</Typography>
  return (
    <Box sx={{ pl: 2 }}>
      {asked.data.map((one) => (
        <MuiLink
          key={one.id}
          component={Link}
          href={`/all/${one.id}`}
          sx={{ display: 'flex', gap: 1, py: 0.5, alignItems: 'center' }}
        >
          {dateTime(one.opened_at, i18n.language)} <StateChip state={one.state} isMine={false} />
        </MuiLink>
      ))}
    </Box>
  )
}
