/** From sent to converted, whole and by variant, segment or number, with shares as bars. */
import { Box, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import { useMay } from '../../../app/session'
import { Listing } from '../../../shared/admin/Listing'
import { money, time } from '../../../shared/format'
import type { PoolNumber } from '../../numbers/pool'
import { Choice } from '../wizard/fields'
import { BY, type By, FUNNEL, type FunnelRow, type FunnelStep, type Results, rowsOf, shareOf } from './figures'

const READ = { isPending: false, isError: false, error: null, refetch: () => undefined }
const NO_NUMBER = '00000000-0000-0000-0000-000000000000' // of messages that never had one

export function Funnel({ results }: { results: Results }) {
  const { t, i18n } = useTranslation('campaigns')
  const [by, setBy] = useState<By>('variant')
  const numberName = useNumberName(by === 'number')
  const name = ({ key, name: told }: FunnelRow) => {
    if (key === null) return t('funnel.all')
    if (by === 'segment') return told ?? t('funnel.gone')
    if (by === 'number') return key === NO_NUMBER ? t('funnel.no_number') : numberName(key)
    return key.toUpperCase()
  }
  return (
    <Box component="section" aria-label={t('funnel.title')}>
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, mb: 1, flexWrap: 'wrap' }}>
        <Typography component="h3" sx={{ fontWeight: 700 }}>
          {t('funnel.title')}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary', flexGrow: 1 }}>
          {results.as_of ? t('funnel.as_of', { at: time(results.as_of, i18n.language) }) : t('funnel.no_data')}
        </Typography>
        <Choice
          label={t('funnel.by')}
          value={by}
          options={BY.map((value) => ({ value, label: t(`funnel.bys.${value}`) }))}
          onChange={setBy}
          sx={{ minWidth: 140 }}
        />
      </Stack>
      {by === 'segment' && (
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
          {t('funnel.overlap')}
        </Typography>
      )}
      <Listing
        label={t('funnel.title')}
        reading={READ}
        rows={rowsOf(results, by)}
        keyOf={(row) => row.key ?? ''}
        nameOf={name}
        empty={t('funnel.no_data')}
        columns={[
          { label: t(`funnel.${by}`), show: (row) => <strong>{name(row)}</strong> },
          ...FUNNEL.map((step) => ({
            label: t(`funnel.${step}`),
            show: (row: FunnelRow) => <Cell row={row} step={step} />,
          })),
          { label: t('funnel.clicked'), show: (row) => <Cell row={row} step="clicked" /> },
          { label: t('funnel.opted_out'), show: (row) => <Cell row={row} step="opted_out" /> },
          {
            label: t('funnel.cost'),
            show: ({ figures }) =>
              figures.cost_currency ? money(figures.cost_micros / 1e6, figures.cost_currency, i18n.language) : '–',
          },
          {
            label: t('funnel.value'),
            show: ({ figures }) =>
              figures.value_currency ? money(figures.value_micros / 1e6, figures.value_currency, i18n.language) : '–',
          },
        ]}
      />
    </Box>
  )
}

/** Our numbers as people write them, for who may see them; the end of the id for others. */
function useNumberName(wanted: boolean): (id: string) => string {
  const may = useMay('numbers:read')
  const asked = useQuery({
    queryKey: ['numbers'],
    enabled: wanted && may,
    staleTime: 600_000,
    queryFn: async ({ signal }) => {
      const { items } = await data(api.GET('/api/v1/whatsapp/numbers', { params: { query: { limit: 100 } }, signal }))
      return items as unknown as Pick<PoolNumber, 'id' | 'display_phone_number'>[]
    },
  })
  return (id) => asked.data?.find((one) => one.id === id)?.display_phone_number ?? `…${id.slice(-6)}`
}

function Cell({ row, step }: { row: FunnelRow; step: FunnelStep | 'clicked' | 'opted_out' }) {
  const { i18n } = useTranslation('campaigns')
  const share = shareOf(row.figures, step)
  const told = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 })
  return (
    <Box component="span" sx={{ display: 'block', minWidth: 76 }}>
      {row.figures[step].toLocaleString(i18n.language)}
      {step !== 'sent' && share !== null && (
        <Box component="span" sx={{ color: 'text.secondary', fontSize: 12 }}>
          {' '}
          {told.format(share)}
        </Box>
      )}
      <Box
        component="span"
        aria-hidden
        sx={{ display: 'block', height: 5, borderRadius: 3, mt: 0.5, bgcolor: 'action.hover', overflow: 'hidden' }}
      >
        <Box
          component="span"
          sx={{
            display: 'block',
            height: '100%',
            width: `${(share ?? 0) * 100}%`,
            bgcolor: step === 'opted_out' ? 'error.main' : 'primary.main',
          }}
        />
      </Box>
    </Box>
  )
}
