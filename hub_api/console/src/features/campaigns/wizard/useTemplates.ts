/** Approved templates of a lane, each with what there is to fill in it. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, data } from '../../../api/client'
import type { Template } from '../../../api/types'
import { useMay } from '../../../app/session'
import { type Form, formOf } from '../../conversation/composer/template'

export interface Offered {
  /** `name|language`, as a draft names it. */
  key: string
  template: Template
  form: Form
}

export function useTemplates(lane: 'marketing' | 'utility') {
  const asked = useQuery({
    queryKey: ['templates', 'approved', lane],
    enabled: useMay('templates:read'),
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const found: Template[] = []
      for (let cursor: string | undefined; ; ) {
        const query = { status: 'APPROVED', limit: 200, cursor } as never
        const page = await data(api.GET('/api/v1/whatsapp/templates', { params: { query }, signal }))
        found.push(...page.items)
        if (!page.next_cursor) return found
        cursor = page.next_cursor
      }
    },
  })
  const offered = useMemo(() => {
    const byKey = new Map<string, Offered>()
    for (const template of asked.data ?? []) {
      const form = formOf(template)
      const key = `${template.name}|${template.language}`
      // Files, codes and cards are nobody's to fill from a column.
      if (template.category.toLowerCase() !== lane || form.isBeyond || form.file || byKey.has(key)) continue
      if (form.fields.every((one) => one.place !== 'code')) byKey.set(key, { key, template, form })
    }
    return [...byKey.values()].sort((a, b) => a.key.localeCompare(b.key))
  }, [asked.data, lane])
  return { asked, offered }
}
