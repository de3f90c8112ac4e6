/**
 * What the hub says of the draft as it keeps it: whom it reaches, what it costs, what is in the way. Asked anew for each version
 * and language, for some of it is words.
 */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import type { StepProps } from './steps'

export function useCheck(kept: StepProps['kept'], enabled = true) {
  const { i18n } = useTranslation()
  return useQuery({
    queryKey: ['campaign', kept?.id, 'check', kept?.version, i18n.language],
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
