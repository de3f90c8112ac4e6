import { useQuery } from '@tanstack/react-query'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'

export type Team = components['schemas']['Team']

/** Every team that one may see; empty until they are known. */
export function useTeams(): Team[] {
  const asked = useQuery({
    queryKey: ['teams'],
    enabled: useMay('teams:read'),
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/teams', { signal }))).items,
  })
  return asked.data ?? []
}
