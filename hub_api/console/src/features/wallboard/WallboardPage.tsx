/** Live figures for a screen on the wall: big, by themselves, and honest about how old they are. */
import { Box, Chip, IconButton, Paper, Stack, Tooltip, Typography } from '@mui/material'
import { Maximize } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useBoard } from '../../live/boards'
import { useConnected } from '../../live/useLive'
import { Refused, Unreached } from '../../shared/Board'
import { time } from '../../shared/format'
import { Loading } from '../../shared/States'
import { lasting } from '../../shared/since'
import { useNow } from '../../shared/useNow'
import { againstYesterday, isGood, shownAs } from './figures'

const Charts = lazy(() => import('./Charts'))

/** By the width of its tile: `100%` fits in it on any screen. */
const BIG = 'clamp(1.5rem, 28cqw, 5rem)'
const SMALL = 'clamp(0.85rem, 1.1vw, 1.5rem)'

export default function WallboardPage() {
  const { t, i18n } = useTranslation('boards')
  const { data, at, refused } = useBoard('wallboard')
  const connected = useConnected()
  const now = useNow(1000)
  const page = useRef<HTMLDivElement>(null)
  if (refused) return <Refused />
  if (!data) return connected ? <Loading /> : <Unreached />
  const language = i18n.language
  const { figures } = data
  return (
    <Box
      ref={page}
      sx={{ flex: 1, minWidth: 0, overflowY: 'auto', p: { xs: 1.5, sm: 2 }, bgcolor: 'background.default' }}
    >
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, mb: 1.5, flexWrap: 'wrap' }}>
        <Typography component="h2" sx={{ fontWeight: 700, fontSize: 'clamp(1.2rem, 1.8vw, 2.2rem)', flex: 1 }}>
          {t('wallboard.title')}
        </Typography>
        <Chip
          role="status"
          color={connected ? 'default' : 'warning'}
          label={connected ? t('wallboard.as_of', { time: time(new Date(at).toISOString(), language) }) : t('stale')}
        />
        <Typography sx={{ fontSize: 'clamp(1.2rem, 1.8vw, 2.2rem)', fontVariantNumeric: 'tabular-nums' }}>
          {time(new Date(now).toISOString(), language)}
        </Typography>
        <Tooltip title={t('wallboard.full')}>
          <IconButton aria-label={t('wallboard.full')} onClick={() => void page.current?.requestFullscreen()}>
            <Maximize size={20} />
          </IconButton>
        </Tooltip>
      </Stack>
      <Grid min={200}>
        <Tile label={t('queue.waiting')} value={String(data.waiting)} bad={data.waiting > 0 && data.slots.free === 0}>
          {t('wallboard.oldest', { time: lasting(data.oldest_waiting_at, now, language) })}
        </Tile>
        <Tile label={t('queue.in_service')} value={String(data.in_service)}>
          {t('wallboard.waiting_customer', { count: data.waiting_customer })}
        </Tile>
        <Tile label={t('wallboard.agents')} value={String(data.presence.online)}>
          {t('wallboard.others', { away: data.presence.away, break: data.presence.break })}
        </Tile>
        <Tile
          label={t('wallboard.slots')}
          value={String(data.slots.free)}
          bad={data.slots.free === 0 && data.waiting > 0}
        >
          {t('wallboard.of_slots', { count: data.slots.capacity })}
        </Tile>
        <Tile label={t('wallboard.at_risk')} value={String(data.at_risk)} warn={data.at_risk > 0} />
        <Tile label={t('wallboard.breached')} value={String(data.breached)} bad={data.breached > 0} />
      </Grid>
      {figures ? (
        <>
          <Typography sx={{ mt: 2, mb: 1, color: 'text.secondary', fontSize: SMALL }}>
            {t('wallboard.today', { time: time(figures.at, language) })}
          </Typography>
          <Grid min={220}>
            {figures.items.map((one) => (
              <Tile
                key={one.key}
                label={t(`figure.${one.key as 'conversations'}`, { defaultValue: one.name })}
                value={shownAs(one.today, one.unit, language)}
                good={isGood(one) === true}
                bad={isGood(one) === false}
              >
                {t('wallboard.yesterday', {
                  value: shownAs(one.yesterday_so_far, one.unit, language),
                  change: [againstYesterday(one, language)]
                    .filter(Boolean)
                    .map((change) => `(${change})`)
                    .join(''),
                })}
              </Tile>
            ))}
          </Grid>
          <Suspense fallback={<Loading />}>
            <Charts figures={figures.items} queues={data.queues} hour={figures.hour} />
          </Suspense>
        </>
      ) : (
        <Paper variant="outlined" sx={{ mt: 2, p: 2 }} role="status">
          <Typography sx={{ fontSize: SMALL }}>{t('wallboard.no_figures')}</Typography>
        </Paper>
      )}
    </Box>
  )
}

function Grid({ min, children }: { min: number; children: ReactNode }) {
  return (
    <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: `repeat(auto-fit, minmax(min(${min}px, 45%), 1fr))` }}>
      {children}
    </Box>
  )
}

interface TileProps {
  label: string
  value: string
  good?: boolean
  warn?: boolean
  bad?: boolean
  children?: ReactNode
}

function Tile({ label, value, good, warn, bad, children }: TileProps) {
  const colour = bad ? 'error.main' : warn ? 'warning.main' : good ? 'success.main' : 'text.primary'
  return (
    <Paper
      variant="outlined"
      role="group"
      aria-label={label}
      sx={{ p: { xs: 1.25, sm: 2 }, borderLeft: 6, borderLeftColor: colour, containerType: 'inline-size' }}
    >
      <Typography sx={{ color: 'text.secondary', fontSize: SMALL, lineHeight: 1.2 }}>{label}</Typography>
      <Typography
        sx={{ fontSize: BIG, fontWeight: 700, lineHeight: 1.15, color: colour, fontVariantNumeric: 'tabular-nums' }}
      >
        {value}
      </Typography>
      {children && (
        <Typography sx={{ color: 'text.secondary', fontSize: SMALL, lineHeight: 1.2 }}>{children}</Typography>
      )}
    </Paper>
  )
}
