/** What can be done beside typing: whom one writes to, files, voice, later, a template. What may not be done now is not there. */
import { Box, IconButton, ToggleButton, ToggleButtonGroup, Tooltip } from '@mui/material'
import { Clock, FileStack, Mic, Paperclip } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { ACCEPT } from '../../../api/upload'

export type Mode = 'reply' | 'note'

interface Props {
  isNote: boolean
  onMode: (mode: Mode) => void
  onFiles?: (files: File[]) => void
  onRecord?: () => void
  /** Null: not yet, for nothing is written. */
  onSchedule?: (() => void) | null
  onTemplate?: () => void
}

export function Tools({ isNote, onMode, onFiles, onRecord, onSchedule, onTemplate }: Props) {
  const { t: d } = useTranslation('desk')
  const picker = useRef<HTMLInputElement>(null)
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.5, mb: 0.75, flexWrap: 'wrap' }}>
      <ToggleButtonGroup
        exclusive
        size="small"
        color="primary"
        value={isNote ? 'note' : 'reply'}
        onChange={(_, mode: Mode | null) => mode && onMode(mode)}
        aria-label={d('composer.mode')}
      >
        <ToggleButton value="reply" sx={{ py: 0.25, px: 1.25 }}>
          {d('composer.reply')}
        </ToggleButton>
        <ToggleButton value="note" sx={{ py: 0.25, px: 1.25 }}>
          {d('composer.note')}
        </ToggleButton>
      </ToggleButtonGroup>
      <Box sx={{ flex: 1 }} />
      {onFiles && (
        <>
          <Tool label={d('composer.attach')} icon={<Paperclip size={18} />} onClick={() => picker.current?.click()} />
          <input
            ref={picker}
            type="file"
            hidden
            multiple
            accept={ACCEPT}
            aria-label={d('composer.attach')}
            onChange={(event) => {
              onFiles([...(event.target.files ?? [])])
              event.target.value = ''
            }}
          />
        </>
      )}
      {onRecord && <Tool label={d('composer.record')} icon={<Mic size={18} />} onClick={onRecord} />}
      {onSchedule !== undefined && (
        <Tool label={d('composer.schedule')} icon={<Clock size={18} />} onClick={onSchedule} />
      )}
      {onTemplate && <Tool label={d('composer.template')} icon={<FileStack size={18} />} onClick={onTemplate} />}
    </Box>
  )
}

function Tool({ label, icon, onClick }: { label: string; icon: ReactNode; onClick: (() => void) | null }) {
  return (
    <Tooltip title={label}>
      <span>
        <IconButton size="small" aria-label={label} onClick={onClick ?? undefined} disabled={onClick === null}>
          {icon}
        </IconButton>
      </span>
    </Tooltip>
  )
}
