/** The steps of the wizard, each a way to it; on a phone their numbers, and names for who listens. */
import { Box, ButtonBase } from '@mui/material'
import { Check, CircleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { STEPS, type StepName } from '../plan'

/** Read aloud, not shown: where there is no room for names. */
const UNSEEN = { position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' } as const

interface Props {
  here: StepName
  faulty: ReadonlySet<StepName>
  onGo: (step: StepName) => void
}

export function StepList({ here, faulty, onGo }: Props) {
  const { t } = useTranslation('campaigns')
  const at = STEPS.indexOf(here)
  return (
    <Box component="nav" aria-label={t('wizard.steps')}>
      <Box component="ol" sx={{ display: 'flex', gap: 0.5, p: 0, m: 0, listStyle: 'none' }}>
        {STEPS.map((step, place) => {
          const isHere = step === here
          const isDone = place < at && !faulty.has(step)
          return (
            <Box component="li" key={step} sx={{ flex: 1, minWidth: 0 }}>
              <ButtonBase
                onClick={() => onGo(step)}
                aria-current={isHere ? 'step' : undefined}
                sx={{
                  width: '100%',
                  flexDirection: 'column',
                  gap: 0.5,
                  py: 1,
                  borderRadius: 1,
                  borderTop: 4,
                  borderColor: isHere ? 'primary.main' : isDone ? 'success.main' : 'divider',
                  color: isHere ? 'primary.main' : 'text.secondary',
                  '&.Mui-focusVisible': { outline: '2px solid', outlineColor: 'primary.main' },
                }}
              >
                <Box aria-hidden sx={{ height: 20, display: 'grid', placeItems: 'center', fontWeight: 700 }}>
                  {isDone ? (
                    <Check size={18} aria-hidden />
                  ) : faulty.has(step) && place < at ? (
                    <CircleAlert size={18} aria-hidden />
                  ) : (
                    place + 1
                  )}
                </Box>
                <Box
                  component="span"
                  sx={[
                    { fontSize: 13, fontWeight: isHere ? 700 : 400 },
                    (theme) => ({ [theme.breakpoints.down('sm')]: UNSEEN }),
                  ]}
                >
                  {t(`step.${step}`)}
                </Box>
              </ButtonBase>
            </Box>
          )
        })}
      </Box>
    </Box>
  )
}
