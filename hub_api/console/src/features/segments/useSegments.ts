/** What several parts of the page read: segments with their names, the catalogue, the values of a field. */
import { useQuery } from '@tanstack/react-query'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'

export type Segment = components['schemas']['Segment']
export type Preview = components['schemas']['Preview']

/** Every segment in use, newest first. */
export function useSegments() {
  return useQuery({
    queryKey: ['segments'],
    queryFn: async ({ signal }) => {
      const found: Segment[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await data(api.GET('/api/v1/segments', { params: { query: { limit: 500, cursor } }, signal }))
        found.push(...page.items)
        if (!page.next_cursor) return found
        cursor = page.next_cursor
      }
    },
  })
}

export function useCatalogue() {
  return useQuery({
    queryKey: ['segment-catalogue'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => data(api.GET('/api/v1/segments/catalogue', { signal })),
  })
}

/** Values that occur, those of most customers first; asked for when `open`. */
export function useValues(of: string | null, open: boolean) {
  return useQuery({
    queryKey: ['segment-values', of],
    enabled: open && of !== null,
    staleTime: 300_000,
    queryFn: async ({ signal }) =>
      (await data(api.GET('/api/v1/segments/values', { params: { query: { of: of ?? '' } }, signal }))).items,
  })
}
