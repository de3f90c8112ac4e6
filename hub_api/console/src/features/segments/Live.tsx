/** What a definition would find now: how many, some of them, who else has them, and on request the query with its cost. */
import {
  Accordion,
  AccordionDetails,
  AccordionSummary,
  Alert,
  Box,
  LinearProgress,
  Paper,
  Stack,
  Typography,
} from '@mui/material'
import { ChevronDown } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { date, percent, size } from '../../shared/format'
import { wordsFor } from '../../shared/words'
import type { Preview, Segment } from './useSegments'

interface Props {
  /** Conditions that still want something, or are faulty: until then nothing is counted. */
  wanting: number
  faulty: boolean
  counting: boolean
  found: Preview | undefined
  error: unknown
  segments: Segment[]
}

export function Live({ wanting, faulty, counting, found, error, segments }: Props) {
  const { t, i18n } = useTranslation('audience')
  const { t: c } = useTranslation()
  const number = (value: number) => value.toLocaleString(i18n.language)
  const old = counting || faulty || wanting > 0
  return (
    <Paper
      component="aside"
      variant="outlined"
      aria-label={t('live.title')}
      sx={{ p: 2, position: { md: 'sticky' }, top: 0 }}
    >
      <Typography component="h3" variant="subtitle2" sx={{ color: 'text.secondary' }}>
        {t('live.title')}
      </Typography>
      <Box role="status" aria-busy={counting}>
        <Typography
          sx={{ fontSize: 34, fontWeight: 700, lineHeight: 1.2, color: old ? 'text.secondary' : 'text.primary' }}
        >
          {found ? number(found.members) : '–'}
        </Typography>
        {found && (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {t('live.of', {
              share: percent(found.customers ? found.members / found.customers : 0, i18n.language),
              customers: number(found.customers),
              day: date(found.as_of, i18n.language),
            })}
          </Typography>
        )}
        {wanting > 0 && (
          <Alert severity="info" sx={{ mt: 1 }}>
            {t('live.wanting', { count: wanting })}
          </Alert>
        )}
        {faulty && wanting === 0 && (
          <Alert severity="warning" sx={{ mt: 1 }}>
            {t('live.faulty')}
          </Alert>
        )}
        {error !== null && wanting === 0 && (
          <Alert severity="error" sx={{ mt: 1 }}>
            {wordsFor(error, c)}
          </Alert>
        )}
      </Box>
      <Box sx={{ height: 4, my: 1 }}>{counting && <LinearProgress aria-label={t('live.counting')} />}</Box>
      {found && (
        <>
          <Part title={t('live.sample')}>
            {found.sample === null && <Note>{t('live.no_sample')}</Note>}
            {found.sample?.length === 0 && <Note>{t('live.nobody')}</Note>}
            <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
              {found.sample?.map((one) => (
                <Typography key={one.id} component="li" variant="body2" sx={{ py: 0.25 }}>
                  {one.name ?? t('live.no_name')}{' '}
                  <Box component="span" sx={{ color: 'text.secondary', whiteSpace: 'nowrap' }}>
                    {[one.phone, one.state_code].filter(Boolean).join(' · ')}
                  </Box>
                </Typography>
              ))}
            </Box>
          </Part>
          <Part title={t('live.overlap')}>
            {found.overlap.length === 0 && <Note>{t('live.no_overlap')}</Note>}
            {found.overlap.map((one) => (
              <Overlap
                key={one.segment_id}
                name={segments.find((other) => other.id === one.segment_id)?.name ?? '…'}
                customers={one.customers}
                share={found.members ? Math.min(1, one.customers / found.members) : 0}
              />
            ))}
          </Part>
          <Accordion disableGutters elevation={0} sx={{ bgcolor: 'transparent', '&::before': { display: 'none' } }}>
            <AccordionSummary expandIcon={<ChevronDown size={18} />} sx={{ px: 0 }}>
              <Typography component="span" variant="subtitle2">
                {t('live.query')}
              </Typography>
            </AccordionSummary>
            <AccordionDetails sx={{ px: 0 }}>
              <Typography variant="body2">
                {t('live.cost', {
                  estimated: number(found.cost.estimated_rows),
                  read: number(found.cost.read_rows),
                  bytes: size(found.cost.read_bytes, i18n.language),
                  seconds: found.cost.seconds.toLocaleString(i18n.language, { maximumFractionDigits: 2 }),
                })}
              </Typography>
              <Code label={t('live.sql')}>{found.sql}</Code>
              <Code label={t('live.parameters')}>{JSON.stringify(found.parameters, null, 1)}</Code>
            </AccordionDetails>
          </Accordion>
        </>
      )}
    </Paper>
  )
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Box sx={{ mt: 1.5 }}>
      <Typography component="h4" variant="subtitle2">
        {title}
      </Typography>
      {children}
    </Box>
  )
}

function Note({ children }: { children: React.ReactNode }) {
  return (
    <Typography variant="body2" sx={{ color: 'text.secondary' }}>
      {children}
    </Typography>
  )
}

function Overlap({ name, customers, share }: { name: string; customers: number; share: number }) {
  const { t, i18n } = useTranslation('audience')
  return (
    <Box sx={{ my: 0.75 }}>
      <Stack direction="row" sx={{ gap: 1 }}>
        <Typography variant="body2" sx={{ flex: 1, overflowWrap: 'anywhere' }}>
          {name}
        </Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('live.shared', {
            customers: customers.toLocaleString(i18n.language),
            share: percent(share, i18n.language),
          })}
        </Typography>
      </Stack>
      <LinearProgress variant="determinate" value={share * 100} aria-label={t('live.overlap_with', { name })} />
    </Box>
  )
}

function Code({ label, children }: { label: string; children: string }) {
  return (
    <Box
      component="pre"
      tabIndex={0}
      role="region"
      aria-label={label}
      sx={{
        m: 0,
        mt: 1,
        p: 1,
        fontSize: 12,
        maxHeight: 260,
        overflow: 'auto',
        bgcolor: 'background.default',
        borderRadius: 1,
        whiteSpace: 'pre-wrap',
        overflowWrap: 'anywhere',
      }}
    >
      {children}
    </Box>
  )
}
