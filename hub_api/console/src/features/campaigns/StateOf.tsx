/** Where a campaign stands, in colour and words; and why, while it stands still. */
import { Chip, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { dateTime } from '../../shared/format'
import type { Campaign } from './plan'
import { COLOUR } from './states'

const BLOCKS = ['by_hand', 'budget', 'no_price', 'mismatch', 'smooth_start', 'guardrail', 'template', 'link'] as const

export function StateOf({ campaign }: { campaign: Pick<Campaign, 'state' | 'block_reason' | 'next_at'> }) {
  const { t, i18n } = useTranslation('campaigns')
  const { state, block_reason: why } = campaign
  return (
    <>
      <Chip size="small" color={COLOUR[state]} label={t(`state.${state}`)} />
      {why && (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          {t(`block.${why as (typeof BLOCKS)[number]}`, { defaultValue: why })}
        </Typography>
      )}
      {state === 'scheduled' && campaign.next_at && (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          {dateTime(campaign.next_at, i18n.language)}
        </Typography>
      )}
    </>
  )
}
