/** Each message as real customers of the audience would see it, by the hub. */
import { Box, Button, Chip, Stack, Typography } from '@mui/material'
import { Users } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Failed, Loading } from '../../../shared/States'
import { isKeepable } from '../faults'
import { Group } from './fields'
import { Phone, shownOf } from './Phone'
import type { StepProps } from './steps'
import { useCheck } from './useCheck'

/** Asked for, since it keeps the draft first and reads the audience. */
export function Samples({ draft, kept, save }: StepProps) {
  const { t } = useTranslation('campaigns')
  const [wanted, setWanted] = useState(false)
  const [busy, setBusy] = useState(false)
  const show = async () => {
    setBusy(true)
    setWanted(await save())
    setBusy(false)
  }
  return (
    <Group title={t('samples.title')} help={t('samples.help')}>
      <Button
        startIcon={<Users size={16} />}
        variant="outlined"
        sx={{ alignSelf: 'flex-start' }}
        loading={busy}
        disabled={!isKeepable(draft)}
        onClick={() => void show()}
      >
        {t('samples.show')}
      </Button>
      {wanted && kept && <SamplePhones kept={kept} />}
    </Group>
  )
}

export function SamplePhones({ kept }: { kept: NonNullable<StepProps['kept']> }) {
  const { t } = useTranslation('campaigns')
  const checked = useCheck(kept)
  if (checked.isPending) return <Loading />
  if (checked.isError) return <Failed error={checked.error} onRetry={() => void checked.refetch()} />
  const { samples } = checked.data
  if (samples === null) return <Typography variant="body2">{t('samples.not_allowed')}</Typography>
  if (samples.length === 0) return <Typography variant="body2">{t('samples.none')}</Typography>
  const people = [...new Set(samples.map((one) => one.customer_id))]
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'repeat(auto-fill, minmax(min(260px, 100%), 1fr))' }}>
      {samples.map((one) => (
        <Stack key={`${one.variant} ${one.customer_id}`}>
          <Phone
            label={t('samples.one', { name: one.variant.toUpperCase(), number: people.indexOf(one.customer_id) + 1 })}
            shown={shownOf(one.message)}
          >
            {one.fallbacks.length > 0 && (
              <Chip
                size="small"
                color="warning"
                variant="outlined"
                sx={{ mt: 1 }}
                label={t('samples.fallbacks', { count: one.fallbacks.length })}
              />
            )}
          </Phone>
        </Stack>
      ))}
    </Box>
  )
}
