/** The builder of a segment: its tree at the left, what it finds at the right, on a phone one after the other. */
import { Alert, Box, Button, Stack, TextField } from '@mui/material'
import { Save, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { problemOf } from '../../api/problem'
import { useMay } from '../../app/session'
import { wordsFor } from '../../shared/words'
import type { Catalogue } from './fields'
import { Live } from './Live'
import { NodeCard } from './NodeCard'
import type { Node } from './tree'
import { useBuilder } from './useBuilder'
import type { Segment } from './useSegments'

interface Props {
  segment: Segment | null
  copy: Segment | null
  catalogue: Catalogue
  segments: Segment[]
  onSaved: (saved: Segment) => void
}

export function Builder({ segment, copy, catalogue, segments, onSaved }: Props) {
  const { t } = useTranslation('audience')
  const { t: c } = useTranslation()
  const builder = useBuilder(segment, copy)
  const readOnly = !useMay('campaigns:write') || Boolean(segment?.archived_at)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const { draft, missing, faults, preview } = builder
  const stale = error !== null && problemOf(error).code === 'stale'
  const taken = error !== null && problemOf(error).code === 'segment_name_taken'
  const save = async (over = false) => {
    setBusy(true)
    setError(null)
    try {
      onSaved(await builder.save(over))
    } catch (refused) {
      setError(refused)
    }
    setBusy(false)
  }
  const change = (next: Node, focus?: string) => {
    builder.setTree(next)
    if (focus) requestAnimationFrame(() => focusOn(focus))
  }
  const open = segments.filter((one) => one.id !== segment?.id)
  return (
    <Box
      component="form"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 320px' },
        alignItems: 'start',
      }}
    >
      <Stack sx={{ gap: 2, minWidth: 0 }}>
        <Stack direction={{ xs: 'column', sm: 'row' }} sx={{ gap: 2 }}>
          <TextField
            id="segment-name"
            label={t('segment.name')}
            value={draft.name}
            required
            disabled={readOnly}
            error={taken}
            helperText={taken ? t('segment.taken') : undefined}
            onChange={(event) => builder.setName(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 120 } }}
            sx={{ flex: 1 }}
          />
          <TextField
            id="segment-description"
            label={t('segment.description')}
            value={draft.description}
            multiline
            maxRows={4}
            disabled={readOnly}
            onChange={(event) => builder.setDescription(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 2000 } }}
            sx={{ flex: 1.4 }}
          />
        </Stack>
        <NodeCard
          node={draft.tree}
          place=""
          siblings={{ isFirst: true, isLast: true }}
          editing={{ tree: draft.tree, catalogue, segments: open, faults, readOnly, onTree: change }}
        />
        {error !== null && !taken && (
          <Alert
            severity="error"
            action={
              stale && (
                <Button color="inherit" size="small" onClick={() => void save(true)}>
                  {t('segment.over')}
                </Button>
              )
            }
          >
            {stale ? t('segment.stale') : problemOf(error).errors.length ? t('segment.faulty') : wordsFor(error, c)}
          </Alert>
        )}
        {!readOnly && (
          <Stack direction="row" sx={{ gap: 1, alignItems: 'center', flexWrap: 'wrap' }}>
            <Button
              type="submit"
              variant="contained"
              startIcon={<Save size={18} />}
              loading={busy}
              disabled={!builder.changed || missing.size > 0 || !draft.name.trim()}
            >
              {t(segment ? 'segment.save' : 'segment.create')}
            </Button>
            <Button startIcon={<Undo2 size={18} />} disabled={!builder.changed || busy} onClick={builder.reset}>
              {t('segment.reset')}
            </Button>
            {builder.changed && (
              <Box component="span" sx={{ fontSize: 13, color: 'text.secondary' }}>
                {t('segment.unsaved')}
              </Box>
            )}
          </Stack>
        )}
      </Stack>
      <Live
        wanting={missing.size}
        faulty={faults.size > 0}
        counting={builder.counting}
        found={preview.data}
        error={builder.told && problemOf(builder.told).errors.length === 0 ? builder.told : null}
        segments={segments}
      />
    </Box>
  )
}

/** To the first field of what was made or moved; to a group's own buttons where there is none. */
function focusOn(id: string): void {
  const card = document.getElementById(`node-${id}`)
  card?.scrollIntoView({ block: 'nearest' })
  const field = card?.querySelector<HTMLElement>('input:not([type=hidden]):not([aria-hidden=true]), [role=combobox]')
  const target = field ?? card?.querySelector<HTMLElement>('button')
  target?.focus()
}
