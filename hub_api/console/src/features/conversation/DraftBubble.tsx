import { Alert, Box, Button, LinearProgress, Stack, Typography } from '@mui/material'
import { Check, Clock, FileText, TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { time } from '../../shared/format'
import { wordsFor } from '../../shared/words'
import { Bubble } from './Bubble'
import { FormattedText } from './FormattedText'
import { type Draft, type DraftFile, outbox } from './outbox'

const ICONS = { sending: Clock, accepted: Check, failed: TriangleAlert } as const

/** A message that the hub has not shown back yet. */
export function DraftBubble({ draft }: { draft: Draft }) {
  const { t, i18n } = useTranslation()
  const Icon = ICONS[draft.state]
  const failure = draft.state === 'failed' && (
    <Alert
      severity="error"
      sx={{ mt: 0.5, maxWidth: 560 }}
      action={
        <Stack direction="row">
          <Button color="inherit" size="small" onClick={() => void outbox.again(draft.key)}>
            {t('message.again')}
          </Button>
          <Button color="inherit" size="small" onClick={() => outbox.forget(draft.key)}>
            {t('message.discard')}
          </Button>
        </Stack>
      }
    >
      {t('message.not_sent', { why: wordsFor(draft.problem, t) })}
    </Alert>
  )
  const foot = (
    <>
      <Typography variant="caption" component="time" dateTime={draft.at}>
        {time(draft.at, i18n.language)}
      </Typography>
      <Icon size={14} role="img" aria-label={t(`draft.${draft.state}`)} />
    </>
  )
  return (
    <Bubble side="out" tone="out" author={t('author.me')} foot={foot} below={failure}>
      {draft.file && <Leaving file={draft.file} isSending={draft.state === 'sending'} />}
      {draft.text && <FormattedText text={draft.text} />}
    </Bubble>
  )
}

/** The file as it is here, and how much of it has left. */
function Leaving({ file, isSending }: { file: DraftFile; isSending: boolean }) {
  const { t: d } = useTranslation('desk')
  const share = Math.round(file.share * 100)
  return (
    <Box sx={{ mb: 0.5 }}>
      {file.kind === 'image' || file.kind === 'sticker' ? (
        <Box
          component="img"
          src={file.url}
          alt={file.file.name}
          sx={{ display: 'block', maxWidth: '100%', maxHeight: 240, borderRadius: 1 }}
        />
      ) : file.kind === 'audio' ? (
        <Box component="audio" controls src={file.url} aria-label={file.file.name} sx={{ maxWidth: '100%' }} />
      ) : (
        <Stack direction="row" sx={{ gap: 1, alignItems: 'center' }}>
          <FileText size={22} aria-hidden />
          {file.file.name}
        </Stack>
      )}
      {isSending && file.share < 1 && (
        <LinearProgress
          variant="determinate"
          value={share}
          aria-label={d('attach.progress', { name: file.file.name })}
          sx={{ mt: 0.75, borderRadius: 1 }}
        />
      )}
    </Box>
  )
}
