/** Whom it is for: a segment as it is when it begins, a list frozen before, or a file. */
import { Alert, FormControl, FormControlLabel, FormLabel, Radio, RadioGroup, Stack } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AudiencePicker } from './AudiencePicker'
import { CsvUpload } from './CsvUpload'
import type { StepProps } from './steps'

const WAYS = ['segment', 'snapshot', 'upload'] as const
type Way = (typeof WAYS)[number]

export function AudienceStep({ draft, set }: StepProps) {
  const { t } = useTranslation('campaigns')
  const { audience } = draft
  const [way, setWay] = useState<Way>(audience.upload_id ? 'upload' : audience.snapshot_id ? 'snapshot' : 'segment')
  const change = (next: Way) => {
    setWay(next)
    set({ audience: {} }) // what was chosen the other way is not what the page shows any more
  }
  return (
    <Stack sx={{ gap: 2 }}>
      {audience.definition && <Alert severity="info">{t('audience.own_definition')}</Alert>}
      <FormControl>
        <FormLabel id="audience-way">{t('audience.way')}</FormLabel>
        <RadioGroup aria-labelledby="audience-way" value={way} onChange={(_, next) => change(next as Way)}>
          {WAYS.map((one) => (
            <FormControlLabel
              key={one}
              value={one}
              control={<Radio size="small" />}
              label={t(`audience.ways.${one}`)}
            />
          ))}
        </RadioGroup>
      </FormControl>
      {way === 'upload' ? (
        <CsvUpload picked={audience.upload_id} onPick={(id) => set({ audience: { upload_id: id } })} />
      ) : (
        <AudiencePicker key={way} by={way} picked={audience} onPick={(picked) => set({ audience: { ...picked } })} />
      )}
      <Alert severity="info" icon={false}>
        {t('audience.later')}
      </Alert>
    </Stack>
  )
}
