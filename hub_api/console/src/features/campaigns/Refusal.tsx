/** What the hub refused, with what is in the way where it says so. */
import { Alert, Box } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { problemOf } from '../../api/problem'
import { wordsFor } from '../../shared/words'
import { list, text } from '../conversation/content/payload'

export function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation()
  const { t: c } = useTranslation('campaigns')
  const { told } = problemOf(error)
  const reasons = [
    ...list(told.problems).map((one) => {
      const todo = c(`problem.${text(one.code) as 'nobody'}.todo`, { defaultValue: '' })
      return [text(one.message), todo].filter(Boolean).join(' – ')
    }),
    ...list(told.errors).map((one) => [text(one.field), text(one.message)].filter(Boolean).join(': ')),
  ]
  return (
    <Alert severity="error">
      {wordsFor(error, t)}
      {reasons.length > 0 && (
        <Box component="ul" sx={{ m: 0, pl: 2 }}>
          {reasons.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </Box>
      )}
    </Alert>
  )
}
