/** Exchange rates: what a unit of another currency is worth in BRL from a day on. */
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMay } from '../../app/session'
import type { Field, Values } from '../../shared/admin/FormDialog'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { fromMicros, micros, words } from '../../shared/admin/values'
import { date, money } from '../../shared/format'
import { Kept } from '../service/Kept'

type Rate = components['schemas']['Rate']

export function Rates() {
  const { t, i18n } = useTranslation('admin')
  const changes = useMay('settings:write')
  const deeds = useDeeds(['rates'])
  const { reading, rows } = usePages<Rate>(['rates'], (cursor, signal) =>
    data(api.GET('/api/v1/analytics/exchange-rates', { params: { query: { limit: 100, cursor } }, signal })),
  )
  const fields = (row: Rate | null): Field[] => [
    ...(row
      ? []
      : ([
          { name: 'currency', label: t('rate.currency'), required: true, maxLength: 3 },
          { name: 'valid_from', label: t('rate.valid_from'), kind: 'date', required: true },
        ] as Field[])),
    { name: 'brl', label: t('rate.brl'), required: true },
    { name: 'source', label: t('rate.source'), maxLength: 500 },
  ]
  const put = (currency: string, valid_from: string, values: Values) =>
    data(
      api.PUT('/api/v1/analytics/exchange-rates/{currency}/{valid_from}', {
        params: { path: { currency, valid_from } },
        body: { brl_micros: micros(values.brl), source: words(values.source) ?? '' },
      }),
    )
  return (
    <Kept
      label={t('settings.rates')}
      newLabel={t('rate.new')}
      empty={t('rate.none')}
      reading={reading}
      rows={rows}
      keyOf={(one) => `${one.currency} ${one.valid_from}`}
      nameOf={(one) => `${one.currency} ${date(one.valid_from, i18n.language)}`}
      columns={[
        { label: t('rate.currency'), show: (one) => one.currency },
        { label: t('rate.valid_from'), show: (one) => date(one.valid_from, i18n.language) },
        { label: t('rate.brl'), show: (one) => money(one.brl_micros / 1e6, 'BRL', i18n.language) },
        { label: t('rate.source'), show: (one) => one.source || '–' },
      ]}
      fields={fields}
      start={(row) => (row ? { brl: fromMicros(row.brl_micros), source: row.source ?? '' } : { currency: 'USD' })}
      {...(changes && {
        create: (values: Values) => put(String(values.currency).toUpperCase(), String(values.valid_from), values),
        change: (row: Rate, values: Values) => put(row.currency, row.valid_from, values),
        remove: (row: Rate) =>
          data(
            api.DELETE('/api/v1/analytics/exchange-rates/{currency}/{valid_from}', {
              params: { path: { currency: row.currency, valid_from: row.valid_from } },
            }),
          ),
      })}
      deeds={deeds}
    />
  )
}
