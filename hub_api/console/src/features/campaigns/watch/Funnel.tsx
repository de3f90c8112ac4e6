/** From sent to converted, whole and by variant, with shares as bars. */
import { Box, Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { Listing } from '../../../shared/admin/Listing'
import { money, time } from '../../../shared/format'
import { FUNNEL, type FunnelRow, type FunnelStep, type Results, rowsOf, shareOf } from './figures'

const READ = { isPending: false, isError: false, error: null, refetch: () => undefined }

export function Funnel({ results }: { results: Results }) {
  const { t, i18n } = useTranslation('campaigns')
  const name = (row: FunnelRow) => row.name?.toUpperCase() ?? t('funnel.all')
  return (
    <Box component="section" aria-label={t('funnel.title')}>
      <Stack direction="row" sx={{ alignItems: 'baseline', gap: 1, mb: 1, flexWrap: 'wrap' }}>
        <Typography component="h3" sx={{ fontWeight: 700 }}>
          {t('funnel.title')}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {results.as_of ? t('funnel.as_of', { at: time(results.as_of, i18n.language) }) : t('funnel.no_data')}
        </Typography>
      </Stack>
      <Listing
        label={t('funnel.title')}
        reading={READ}
        rows={rowsOf(results)}
        keyOf={name}
        nameOf={name}
        empty={t('funnel.no_data')}
        columns={[
          { label: t('funnel.variant'), show: (row) => <strong>{name(row)}</strong> },
          ...FUNNEL.map((step) => ({
            label: t(`funnel.${step}`),
            show: (row: FunnelRow) => <Cell row={row} step={step} />,
          })),
          { label: t('funnel.clicked'), show: (row) => <Cell row={row} step="clicked" /> },
          { label: t('funnel.opted_out'), show: (row) => <Cell row={row} step="opted_out" /> },
          {
            label: t('funnel.value'),
            show: (row) =>
              row.figures.value_currency
                ? money(row.figures.value_micros / 1e6, row.figures.value_currency, i18n.language)
                : '–',
          },
        ]}
      />
    </Box>
  )
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
