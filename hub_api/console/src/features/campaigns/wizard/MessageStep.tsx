/** What is sent: one or more messages, their variables, what real customers would see, and what follows. */
import { Alert, Button, Stack } from '@mui/material'
import { Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Failed, Loading } from '../../../shared/States'
import { type DraftVariant, evenly, freshVariant, nextName } from '../plan'
import { LINK, OF_TRIGGER, ofColumns, SOURCES } from '../sources'
import { useUpload } from './CsvUpload'
import { Journey } from './Journey'
import { Samples } from './Samples'
import type { StepProps } from './steps'
import { useTemplates } from './useTemplates'
import { VariantEditor } from './VariantEditor'

const MOST_VARIANTS = 9

export function MessageStep(props: StepProps) {
  const { draft, set } = props
  const { t } = useTranslation('campaigns')
  const { asked, offered } = useTemplates(draft.lane)
  const upload = useUpload(draft.audience.upload_id)
  if (asked.isError) return <Failed error={asked.error} onRetry={() => void asked.refetch()} />
  if (asked.isPending) return <Loading />
  const sources = [
    ...SOURCES,
    LINK,
    ...ofColumns(upload.data?.columns ?? []),
    ...(draft.kind === 'triggered' ? OF_TRIGGER[draft.trigger.event] : []),
  ]
  const change = (place: number, next: DraftVariant) => {
    const before = draft.variants[place]
    set({
      variants: draft.variants.map((one, at) => (at === place ? next : one)),
      // The steps that send it follow its name.
      steps: draft.steps.map((one) => (one.variant === before?.name ? { ...one, variant: next.name } : one)),
    })
  }
  const add = () => {
    const name = nextName(draft.variants, draft.controlName)
    set({ variants: evenly([...draft.variants, freshVariant(name, 1)], draft.control) })
  }
  return (
    <Stack sx={{ gap: 2 }}>
      {offered.length === 0 && (
        <Alert severity="warning">{t('message.none', { lane: t(`goal.lanes.${draft.lane}`) })}</Alert>
      )}
      {draft.variants.map((one, place) => (
        <VariantEditor
          // biome-ignore lint/suspicious/noArrayIndexKey: its name changes while it is written
          key={place}
          variant={one}
          offered={offered}
          sources={sources}
          onChange={(next) => change(place, next)}
          onRemove={
            draft.variants.length > 1
              ? () =>
                  set({
                    variants: evenly(
                      draft.variants.filter((_, at) => at !== place),
                      draft.control,
                    ),
                  })
              : undefined
          }
        />
      ))}
      {draft.variants.length < MOST_VARIANTS && (
        <Button startIcon={<Plus size={16} />} variant="outlined" sx={{ alignSelf: 'flex-start' }} onClick={add}>
          {t('message.add')}
        </Button>
      )}
      <Journey
        steps={draft.steps}
        variants={draft.variants.map((one) => one.name)}
        onChange={(steps) => set({ steps })}
      />
      <Samples {...props} />
    </Stack>
  )
}
