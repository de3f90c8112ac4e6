/** How people call where a variable comes from: a column of the customer, of the warehouse, of the file. */
import { useTranslation } from 'react-i18next'
import { sourceKey } from './sources'

export function useSourceName(): (source: string) => string {
  const { t } = useTranslation('campaigns')
  return (source) =>
    source.startsWith('csv.')
      ? t('message.csv', { column: source.slice(4) })
      : t(`source.${sourceKey(source)}`, { defaultValue: source })
}
