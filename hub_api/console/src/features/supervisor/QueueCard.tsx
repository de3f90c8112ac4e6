/** A queue: how many wait, since when, what is promised; its line, each conversation of which can be opened and given to somebody. */
import {
  Alert,
  Button,
  Chip,
  Collapse,
  IconButton,
  Link as MuiLink,
  Paper,
  Stack,
  Tooltip,
  Typography,
} from '@mui/material'
import { ChevronDown, ChevronUp, Forward } from 'lucide-react'
import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { useMay } from '../../app/session'
import type { InLine, QueueState } from '../../live/boards'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { lasting } from '../../shared/since'
import { HandOnDialog } from './HandOnDialog'

interface Props {
  queue: QueueState & { line: InLine[] }
  now: number
  deeds: ReturnType<typeof useDeeds>
}

export function QueueCard({ queue, now, deeds }: Props) {
  const { t, i18n } = useTranslation('boards')
  const [open, setOpen] = useState(false)
  const id = useId()
  const gives = useMay('conversations:write')
  return (
    <Paper variant="outlined" sx={{ p: 1.5 }} component="article" aria-label={queue.name}>
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, flexWrap: 'wrap' }}>
        <Typography component="h4" sx={{ fontWeight: 700, flex: 1, minWidth: 120 }}>
          {queue.name}
        </Typography>
        {queue.breached > 0 && (
          <Chip size="small" color="error" label={t('totals.breached', { count: queue.breached })} />
        )}
        {queue.at_risk > 0 && (
          <Chip size="small" color="warning" label={t('totals.at_risk', { count: queue.at_risk })} />
        )}
        <Button
          size="small"
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          aria-controls={open && queue.waiting > 0 ? id : undefined}
          disabled={queue.waiting === 0}
          endIcon={open ? <ChevronUp size={16} /> : <ChevronDown size={16} />}
        >
          {t('queue.line')}
        </Button>
      </Stack>
      {queue.lacks.length > 0 && (
        <Alert severity="warning" sx={{ mt: 1, py: 0 }}>
          {t('queue.lacks', { skills: queue.lacks.join(', ') })}
        </Alert>
      )}
      <Stack component="dl" direction="row" sx={{ m: 0, mt: 0.5, gap: 3, flexWrap: 'wrap' }}>
        <Fact label={t('queue.waiting')} value={String(queue.waiting)} strong={queue.waiting > 0} />
        <Fact label={t('queue.oldest')} value={lasting(queue.oldest_waiting_at, now, i18n.language)} />
        <Fact label={t('queue.in_service')} value={String(queue.in_service)} />
        <Fact label={t('queue.waiting_customer')} value={String(queue.waiting_customer)} />
      </Stack>
      <Collapse in={open && queue.waiting > 0} id={id} unmountOnExit>
        <Stack component="ol" sx={{ m: 0, mt: 1, p: 0, listStyle: 'none' }}>
          {queue.line.map((one) => (
            <Stack
              component="li"
              key={one.id}
              direction="row"
              sx={{ alignItems: 'center', gap: 1, py: 0.25, borderTop: 1, borderColor: 'divider' }}
            >
              <Typography variant="body2" sx={{ width: 32, color: 'text.secondary' }}>
                {t('queue.place', { place: one.position })}
              </Typography>
              <MuiLink
                component={Link}
                href={`/all/${one.id}`}
                variant="body2"
                sx={{ flex: 1, overflowWrap: 'anywhere' }}
              >
                {one.protocol}
              </MuiLink>
              {one.priority > 1 && <Chip size="small" label={t('queue.priority', { level: one.priority })} />}
              <Typography
                variant="body2"
                sx={{ color: one.sla_due_at && Date.parse(one.sla_due_at) < now ? 'error.main' : 'text.primary' }}
              >
                {lasting(one.line_at, now, i18n.language)}
              </Typography>
              {gives && (
                <Tooltip title={t('hand_on.title')}>
                  <IconButton
                    size="small"
                    aria-label={t('hand_on.of', { protocol: one.protocol })}
                    onClick={() => deeds.open(<HandOnDialog id={one.id} protocol={one.protocol} deeds={deeds} />)}
                  >
                    <Forward size={16} />
                  </IconButton>
                </Tooltip>
              )}
            </Stack>
          ))}
          {queue.waiting > queue.line.length && (
            <Typography component="li" variant="body2" sx={{ color: 'text.secondary', pt: 0.5 }}>
              {t('queue.more', { count: queue.waiting - queue.line.length })}
            </Typography>
          )}
        </Stack>
      </Collapse>
    </Paper>
  )
}

function Fact({ label, value, strong }: { label: string; value: string; strong?: boolean }) {
  return (
    <div>
      <Typography component="dt" variant="caption" sx={{ color: 'text.secondary' }}>
        {label}
      </Typography>
      <Typography component="dd" sx={{ m: 0, fontWeight: strong ? 700 : 500, fontVariantNumeric: 'tabular-nums' }}>
        {value}
      </Typography>
    </div>
  )
}
