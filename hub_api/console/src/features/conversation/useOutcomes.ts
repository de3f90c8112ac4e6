/** The outcomes with which a conversation may end, those out of use too: an old one may have ended so. */
import { useQuery } from '@tanstack/react-query'
import { api, data } from '../../api/client'

export function useOutcomes(enabled = true) {
  return useQuery({
    queryKey: ['dispositions'],
    enabled,
    staleTime: 300_000,
    queryFn: async () => (await data(api.GET('/api/v1/dispositions'))).items,
  })
}
