/** What the hub says of the draft as it keeps it: whom it reaches, what it costs, what is in the way. Asked anew for each version. */
import { useQuery } from '@tanstack/react-query'
import { api, data } from '../../../api/client'
import type { StepProps } from './steps'

export function useCheck(kept: StepProps['kept'], enabled = true) {
  return useQuery({
    queryKey: ['campaign', kept?.id, 'check', kept?.version],
    enabled: enabled && kept !== null,
    staleTime: 60_000,
    retry: false,
    queryFn: ({ signal }) =>
      data(
        api.POST('/api/v1/campaigns/{campaign_id}/check', {
          params: { path: { campaign_id: kept?.id ?? '' } },
          signal,
        }),
      ),
  })
}
