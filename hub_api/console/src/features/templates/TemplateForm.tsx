/** Write a template, new or another version of one; the hub says what Meta would refuse. */
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Template } from '../../api/types'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { Failed, Loading } from '../../shared/States'
import { componentsOf, draftOf } from './components'

const CATEGORIES = ['UTILITY', 'MARKETING', 'AUTHENTICATION'] as const

interface Props {
  template: Template | null
  deeds: ReturnType<typeof useDeeds>
}

export function TemplateForm({ template, deeds }: Props) {
  const { t } = useTranslation('admin')
  const accounts = useQuery({
    queryKey: ['accounts'],
    enabled: template === null,
    queryFn: async ({ signal }) =>
      (await data(api.GET('/api/v1/whatsapp/accounts', { signal }))).items as {
        id: string
        name: string
        waba_id: string
      }[],
  })
  // What a draft says is in its newest version; the template itself has what Meta has.
  const full = useQuery({
    queryKey: ['admin-templates', 'one', template?.id],
    enabled: template !== null,
    gcTime: 0,
    queryFn: ({ signal }) =>
      data(
        api.GET('/api/v1/whatsapp/templates/{template_id}', {
          params: { path: { template_id: template?.id ?? '' } },
          signal,
        }),
      ),
  })
  const asked = template === null ? accounts : full
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (asked.isPending) return <Loading />
  const newest = [...(full.data?.versions ?? [])].sort((a, b) => b.number - a.number)[0]
  const components = newest?.components ?? template?.components ?? []
  const options = accounts.data?.map((one) => ({ value: one.id, label: `${one.name} (${one.waba_id})` })) ?? []
  const fresh: Field[] = [
    { name: 'account_id', label: t('templates.account'), kind: 'select', options, required: true },
    { name: 'name', label: t('templates.name'), required: true, help: t('templates.name_help'), maxLength: 512 },
    { name: 'language', label: t('templates.language'), required: true, help: t('templates.language_help') },
    {
      name: 'category',
      label: t('templates.category'),
      kind: 'select',
      required: true,
      options: CATEGORIES.map((value) => ({
        value,
        label: t(`templates.categories.${value.toLowerCase() as 'utility'}`),
      })),
    },
  ]
  const parts: Field[] = [
    { name: 'header', label: t('templates.header'), maxLength: 60 },
    {
      name: 'body',
      label: t('templates.body'),
      kind: 'long',
      required: true,
      help: t('templates.body_help', { open: '{{' }),
      maxLength: 1024,
    },
    { name: 'examples', label: t('templates.examples'), help: t('templates.examples_help') },
    { name: 'footer', label: t('templates.footer'), maxLength: 60 },
  ]
  const draft = draftOf(components)
  const start: Values = template
    ? { ...draft, examples: draft.examples.join('; ') }
    : { account_id: options[0]?.value ?? '', language: 'pt_BR', category: 'UTILITY' }
  const save = async (values: Values) => {
    const examples = String(values.examples ?? '')
      .split(';')
      .map((one) => one.trim())
    const written = {
      header: String(values.header),
      body: String(values.body),
      footer: String(values.footer),
      examples,
    }
    const told = componentsOf(written, components) as never
    if (template) {
      const path = { template_id: template.id }
      const header = { 'if-match': `"${full.data?.version}"` }
      await data(
        api.PUT('/api/v1/whatsapp/templates/{template_id}', { params: { path, header }, body: { components: told } }),
      )
    } else {
      const { account_id, name, language, category } = values as Record<string, string>
      const header = { 'idempotency-key': crypto.randomUUID() }
      const body = { account_id, name, language, category, components: told } as never
      await data(api.POST('/api/v1/whatsapp/templates', { params: { header }, body }))
    }
    await deeds.done(t('templates.saved'))
  }
  return (
    <FormDialog
      title={template ? t('templates.change_of', { name: template.name }) : t('templates.new')}
      text={t('templates.form_help')}
      fields={template ? parts : [...fresh, ...parts]}
      start={start}
      confirm={t('save')}
      onSubmit={save}
      onClose={deeds.close}
    />
  )
}
