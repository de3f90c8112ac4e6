/** What is done to a conversation now and then: under one button. */
import { Divider, IconButton, ListItemIcon, ListItemText, Menu, MenuItem, Tooltip } from '@mui/material'
import { AlarmClock, Ban, EllipsisVertical, Merge, Tags, X, Zap } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Conversation } from '../../../api/types'
import { useShortcuts } from '../../../app/shortcuts'
import { LabelsDialog } from './LabelsDialog'
import { MacroDialog } from './MacroDialog'
import { MergeDialog } from './MergeDialog'
import { SnoozeDialog } from './SnoozeDialog'
import { SpamDialog } from './SpamDialog'

type Asking = 'labels' | 'snooze' | 'macro' | 'spam' | 'merge' | null

export function MoreMenu({ conversation: one, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const [asking, setAsking] = useState<Asking>(null)
  const isHeld = one.state === 'assigned' || one.state === 'waiting_customer'
  const isOpen = one.state !== 'closed'
  const canMerge = isOpen && one.state !== 'resolved'
  useShortcuts({
    labels: () => setAsking('labels'),
    ...(isOpen && { macro: () => setAsking('macro') }),
    ...(isHeld && { snooze: () => setAsking('snooze') }),
  })
  const ask = (what: Asking) => () => {
    setAnchor(null)
    setAsking(what)
  }
  const end = () => setAsking(null)
  return (
    <>
      <Tooltip title={d('more.label')}>
        <IconButton
          aria-label={d('more.label')}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <EllipsisVertical size={20} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {isOpen && <Item icon={<Zap size={18} />} words={d('macro.title')} onClick={ask('macro')} />}
        <Item icon={<Tags size={18} />} words={d('labels.title')} onClick={ask('labels')} />
        {isHeld && <Item icon={<AlarmClock size={18} />} words={d('snooze.title')} onClick={ask('snooze')} />}
        {canMerge && <Item icon={<Merge size={18} />} words={d('merge.title')} onClick={ask('merge')} />}
        {isOpen && <Divider />}
        {isOpen && <Item icon={<Ban size={18} />} words={d('spam.title')} onClick={ask('spam')} />}
        {isOpen && (
          <Item
            icon={<X size={18} />}
            words={t('conversation.close')}
            onClick={() => {
              setAnchor(null)
              onClose()
            }}
          />
        )}
      </Menu>
      {asking === 'labels' && <LabelsDialog conversation={one} onClose={end} />}
      {asking === 'snooze' && <SnoozeDialog conversation={one} onClose={end} />}
      {asking === 'macro' && <MacroDialog conversationId={one.id} onClose={end} />}
      {asking === 'merge' && <MergeDialog conversation={one} onClose={end} />}
      {asking === 'spam' && <SpamDialog conversationId={one.id} onClose={end} />}
    </>
  )
}

function Item({ icon, words, onClick }: { icon: ReactNode; words: string; onClick: () => void }) {
  return (
    <MenuItem onClick={onClick}>
      <ListItemIcon>{icon}</ListItemIcon>
      <ListItemText>{words}</ListItemText>
    </MenuItem>
  )
}
