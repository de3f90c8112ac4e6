/** Payments, purchases and cancellations of other systems as a CSV file: goals, each laid to the message before it. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { formOf, LoadDialog } from '../../shared/admin/LoadDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'

/** What the hub says of whole lines, which name no column. */
const OF_LINES: Record<string, string> = {
  'names nobody who is a customer here': 'nobody',
  'was told before with another customer, value or time': 'again',
  'names its customer by one of phone, contract_id and click': 'one_name',
}

export function ResultsDialog({ deeds }: { deeds: ReturnType<typeof useDeeds> }) {
  const { t } = useTranslation('campaigns')
  return (
    <LoadDialog
      title={t('results.title')}
      help={t('results.help')}
      send={(file) => data(api.POST('/api/v1/goals/import', formOf(file, {})))}
      fault={(field, message) =>
        t(`results.fault.${(OF_LINES[message] ?? field) as 'phone'}`, { defaultValue: message })
      }
      deeds={deeds}
    />
  )
}
