import { Avatar, Box, Chip, Link as MuiLink, Stack, Typography } from '@mui/material'
import { AlarmClock, Clock, Globe, UserRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { Conversation } from '../../api/types'
import { duration, initials, shortly } from '../../shared/format'
import { DueChip } from './DueChip'
import type { ListName } from './lists'
import { StateChip } from './StateChip'

interface Props {
  conversation: Conversation
  list: ListName
  isOpen: boolean
  isMine: boolean
  /** Who has it. */
  holder: string | null
  now: number
}

/** What tells one conversation from the next: who, how urgent, how long the customer has waited. */
export function ConversationRow({ conversation: one, list, isOpen, isMine, holder, now }: Props) {
  const { t, i18n } = useTranslation()
  const name = one.customer_name ?? t('customer.nameless')
  const waiting = one.unanswered_since && one.state !== 'closed' ? now - Date.parse(one.unanswered_since) : null
  const spoke = one.last_message_at ?? one.opened_at
  return (
    <MuiLink
      component={Link}
      href={`/${list}/${one.id}`}
      aria-current={isOpen ? 'true' : undefined}
      color="inherit"
      underline="none"
      sx={{
        display: 'flex',
        gap: 1.5,
        px: 1.5,
        py: 1.25,
        borderBottom: 1,
        borderColor: 'divider',
        borderLeft: 4,
        borderLeftColor: isOpen ? 'primary.main' : 'transparent',
        bgcolor: isOpen ? 'action.selected' : 'transparent',
        '&:hover': { bgcolor: isOpen ? 'action.selected' : 'action.hover' },
        '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: -2 },
      }}
    >
      <Avatar
        aria-hidden
        sx={{ bgcolor: 'secondary.main', color: 'background.paper', width: 40, height: 40, fontSize: 15 }}
      >
        {one.customer_name ? initials(one.customer_name) : <UserRound size={20} />}
      </Avatar>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Stack direction="row" sx={{ gap: 1, alignItems: 'baseline' }}>
          <Typography noWrap sx={{ flex: 1, fontWeight: waiting === null ? 500 : 700 }}>
            {name}
          </Typography>
          <Typography
            variant="caption"
            component="time"
            dateTime={spoke}
            sx={{ color: 'text.secondary', flexShrink: 0 }}
          >
            {shortly(spoke, i18n.language)}
          </Typography>
        </Stack>
        <Typography variant="caption" noWrap component="div" sx={{ color: 'text.secondary' }}>
          {t('conversation.protocol', { protocol: one.protocol })}
        </Typography>
        <Stack direction="row" sx={{ gap: 0.5, mt: 0.5, flexWrap: 'wrap', alignItems: 'center' }}>
          <StateChip state={one.state} isMine={isMine} />
          {holder && !isMine && <Chip size="small" variant="outlined" label={holder} />}
          <DueChip due={one.sla_due_at} />
          {one.channel === 'site' && (
            <Chip size="small" variant="outlined" icon={<Globe size={13} />} label={t('conversation.site')} />
          )}
          {one.snoozed_until && (
            <Chip
              size="small"
              variant="outlined"
              icon={<AlarmClock size={13} />}
              label={shortly(one.snoozed_until, i18n.language)}
            />
          )}
          {one.queue && <Chip size="small" variant="outlined" label={one.queue} />}
          {one.priority > 1 && (
            <Chip
              size="small"
              color={one.priority >= 4 ? 'error' : 'warning'}
              variant="outlined"
              label={t(`priority.${one.priority as 2 | 3 | 4 | 5}`)}
            />
          )}
          {waiting !== null && (
            <Chip
              size="small"
              color={waiting > 10 * 60_000 ? 'error' : 'default'}
              icon={<Clock size={13} />}
              label={duration(waiting, i18n.language)}
              title={t('inbox.waiting_since')}
            />
          )}
        </Stack>
      </Box>
    </MuiLink>
  )
}
