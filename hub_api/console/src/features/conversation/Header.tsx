/** Whose conversation it is, how it stands, and what can be done with it. */
import { Alert, Box, Button, Chip, IconButton, Snackbar, Stack, Tooltip, Typography } from '@mui/material'
import {
  AlarmClock,
  ArrowLeft,
  CheckCheck,
  ClipboardList,
  CornerUpRight,
  Eye,
  Globe,
  Hand,
  Merge,
  Star,
  ThumbsUp,
  UserRound,
} from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { Conversation } from '../../api/types'
import { useMay, useMe } from '../../app/session'
import { useShortcuts } from '../../app/shortcuts'
import type { Person } from '../../live/frames'
import { dateTime } from '../../shared/format'
import { useColleagues } from '../../shared/useColleagues'
import { wordsFor } from '../../shared/words'
import { DueChip } from '../inbox/DueChip'
import type { ListName } from '../inbox/lists'
import { StateChip } from '../inbox/StateChip'
import { MoreMenu } from './desk/MoreMenu'
import { EndDialog } from './EndDialog'
import { TransferDialog } from './TransferDialog'
import { useDeeds } from './useDeeds'
import { WindowCountdown } from './WindowCountdown'

interface Props {
  conversation: Conversation
  list: ListName
  others: Person[]
  onCustomer: () => void
}

type Asking = 'transfer' | 'resolve' | 'close' | null

export function Header({ conversation: one, list, others, onCustomer }: Props) {
  const { t, i18n } = useTranslation()
  const { t: d } = useTranslation('desk')
  const me = useMe()
  const holder = useColleagues().get(one.agent_id ?? '')
  const mayWrite = useMay('conversations:write')
  const maySeeQueues = useMay('queues:read')
  const deeds = useDeeds(one.id)
  const [asking, setAsking] = useState<Asking>(null)
  const isMine = one.agent_id === me.id
  const isOpen = one.state !== 'closed'
  const canTake = mayWrite && isOpen && !(isMine && (one.state === 'assigned' || one.state === 'waiting_customer'))
  const canTransfer = mayWrite && maySeeQueues && isOpen
  const canResolve = mayWrite && isOpen && one.state !== 'resolved'
  const take = () => deeds.take.mutate()
  useShortcuts({
    ...(canTake && { take }),
    ...(canTransfer && { transfer: () => setAsking('transfer') }),
    ...(canResolve && { resolve: () => setAsking('resolve') }),
  })
  const error = deeds.take.error
  return (
    <Box
      component="header"
      sx={{ borderBottom: 1, borderColor: 'divider', bgcolor: 'background.paper', px: { xs: 1, sm: 2 }, py: 1 }}
    >
      <Stack direction="row" sx={{ gap: 1, alignItems: 'center' }}>
        <IconButton
          component={Link}
          href={`/${list}`}
          aria-label={t('conversation.back')}
          sx={{ display: { md: 'none' } }}
        >
          <ArrowLeft size={20} />
        </IconButton>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Typography component="h2" noWrap sx={{ fontWeight: 700 }}>
            {one.customer_name ?? t('customer.nameless')}
          </Typography>
          <Typography variant="caption" noWrap component="div" sx={{ color: 'text.secondary' }}>
            {t('conversation.protocol', { protocol: [one.protocol, ...one.merged_protocols].join(' + ') })}
          </Typography>
        </Box>
        <Stack direction="row" sx={{ gap: 0.5 }}>
          {canTake && (
            <Button
              variant="contained"
              size="small"
              startIcon={<Hand size={16} />}
              onClick={take}
              loading={deeds.take.isPending}
            >
              {t('conversation.take')}
            </Button>
          )}
          {canTransfer && (
            <Deed
              label={t('conversation.transfer')}
              icon={<CornerUpRight size={20} />}
              onClick={() => setAsking('transfer')}
            />
          )}
          {canResolve && (
            <Deed
              label={t('conversation.resolve')}
              icon={<CheckCheck size={20} />}
              onClick={() => setAsking('resolve')}
            />
          )}
          {mayWrite && <MoreMenu conversation={one} onClose={() => setAsking('close')} />}
          <Deed label={t('customer.toggle')} icon={<UserRound size={20} />} onClick={onCustomer} />
        </Stack>
      </Stack>
      <Stack direction="row" sx={{ gap: 0.75, mt: 0.75, flexWrap: 'wrap', alignItems: 'center' }}>
        <StateChip state={one.state} isMine={isMine} />
        {holder && !isMine && (
          <Chip size="small" variant="outlined" icon={<UserRound size={13} />} label={holder.name} />
        )}
        {one.queue && <Chip size="small" variant="outlined" label={one.queue} />}
        {one.tags.map((tag) => (
          <Chip key={tag} size="small" variant="outlined" label={`#${tag}`} />
        ))}
        {one.snoozed_until && (
          <Chip
            size="small"
            variant="outlined"
            icon={<AlarmClock size={13} />}
            label={d('snooze.until', { at: dateTime(one.snoozed_until, i18n.language) })}
          />
        )}
        {one.satisfaction !== null && (
          <Chip
            size="small"
            variant="outlined"
            icon={<Star size={13} />}
            label={d('rated', { note: one.satisfaction })}
          />
        )}
        {one.survey !== null && one.satisfaction === null && (
          <Chip
            size="small"
            variant="outlined"
            icon={<ClipboardList size={13} />}
            label={d(`survey.${one.survey}`)}
            sx={{ maxWidth: '100%' }}
          />
        )}
        {one.nps !== null && (
          <Chip
            size="small"
            variant="outlined"
            icon={<ThumbsUp size={13} />}
            label={d('recommends', { score: one.nps })}
          />
        )}
        {one.merged_into && (
          <Chip
            size="small"
            color="info"
            variant="outlined"
            clickable
            component={Link}
            href={`/${list}/${one.merged_into}`}
            icon={<Merge size={13} />}
            label={d('merge.into')}
          />
        )}
        <DueChip due={one.sla_due_at} />
        {one.channel === 'site' ? (
          <Chip size="small" variant="outlined" icon={<Globe size={13} />} label={t('conversation.site')} />
        ) : (
          <WindowCountdown until={one.window_open_until} isClosed={!isOpen} />
        )}
        {others.length > 0 && (
          <Chip
            size="small"
            color="info"
            variant="outlined"
            icon={<Eye size={14} />}
            label={t('conversation.also_here', { names: others.map((person) => person.name).join(', ') })}
          />
        )}
      </Stack>
      {asking === 'transfer' && <TransferDialog conversation={one} onClose={() => setAsking(null)} />}
      {(asking === 'resolve' || asking === 'close') && (
        <EndDialog how={asking} conversation={one} onClose={() => setAsking(null)} />
      )}
      <Snackbar open={error !== null} autoHideDuration={8000} onClose={() => deeds.take.reset()}>
        <Alert severity="error" onClose={() => deeds.take.reset()}>
          {error ? wordsFor(error, t) : ''}
        </Alert>
      </Snackbar>
    </Box>
  )
}

function Deed({ label, icon, onClick }: { label: string; icon: ReactNode; onClick: () => void }) {
  return (
    <Tooltip title={label}>
      <IconButton aria-label={label} onClick={onClick}>
        {icon}
      </IconButton>
    </Tooltip>
  )
}
