/** What the conversation was about, and whose words that is: its own sentences, or a model's. */
import { Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../api/types'
import { dateTime } from '../../shared/format'

export function Summary({ conversation: one }: { conversation: Conversation }) {
  const { t, i18n } = useTranslation()
  const at = one.ai_summary_at ? dateTime(one.ai_summary_at, i18n.language) : ''
  return (
    <>
      <Typography variant="body2" sx={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
        {one.ai_summary}
      </Typography>
      {one.ai_summary_by && (
        <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, mt: 0.5 }}>
          {one.ai_summary_by === 'extract'
            ? t('customer.summary_extract', { at })
            : t('customer.summary_by', { at, by: one.ai_summary_by })}
        </Typography>
      )}
    </>
  )
}
