/** Fields of an entry, in the reader's language. */
import { useTranslation } from 'react-i18next'
import type { Field } from '../../shared/admin/FormDialog'
import { dayOf } from '../../shared/format'

const SCOPES = ['marketing', 'utility', 'all'] as const
const REASONS = ['complaint', 'legal', 'deceased', 'wrong_number', 'fraud', 'employee', 'other'] as const

export function useEntryFields() {
  const { t } = useTranslation('audience')
  const who: Field[] = [
    { name: 'phone', label: t('suppressions.phone'), help: t('suppressions.phone_help'), maxLength: 40 },
    { name: 'customer_id', label: t('suppressions.customer'), help: t('suppressions.customer_help'), maxLength: 36 },
    { name: 'list', label: t('suppressions.list'), required: true, help: t('suppressions.list_help'), maxLength: 40 },
  ]
  const what: Field[] = [
    {
      name: 'scope',
      label: t('suppressions.scope'),
      kind: 'select',
      required: true,
      options: SCOPES.map((value) => ({ value, label: t(`scope.${value}`) })),
    },
    {
      name: 'reason',
      label: t('suppressions.reason'),
      kind: 'select',
      required: true,
      options: REASONS.map((value) => ({ value, label: t(`reason.${value}`) })),
    },
    { name: 'until', label: t('suppressions.until'), kind: 'date', help: t('suppressions.until_help') },
  ]
  return { who, what, shownUntil: (until: string | null) => (until ? dayOf(until) : '') }
}
