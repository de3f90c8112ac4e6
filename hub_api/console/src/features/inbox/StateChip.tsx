import { Chip } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { ConversationState } from '../../api/types'

const COLORS = {
  bot: 'info',
  queued: 'warning',
  assigned: 'primary',
  waiting_customer: 'default',
  resolved: 'success',
  closed: 'default',
} as const

export function StateChip({ state, isMine }: { state: ConversationState; isMine: boolean }) {
  const { t } = useTranslation()
  const label = state === 'assigned' && isMine ? t('conversation_state.mine') : t(`conversation_state.${state}`)
  return <Chip size="small" color={COLORS[state]} label={label} />
}
