/** What can be done with a condition: turn it round, move it, wrap it, double it, remove it. All of it by keyboard. */
import { Divider, IconButton, ListItemText, Menu, MenuItem, Tooltip } from '@mui/material'
import { EllipsisVertical } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isGroup, type Node } from './tree'

export interface Deeds {
  onNot: () => void
  onShift: (by: -1 | 1) => void
  onMove: (group: string) => void
  onWrap: () => void
  onDouble: () => void
  onRemove: () => void
}

interface Props extends Deeds {
  node: Node
  name: string
  isRoot: boolean
  isFirst: boolean
  isLast: boolean
  /** Groups it may go into, with what they are called. */
  groups: { id: string; name: string }[]
}

export function NodeMenu(props: Props) {
  const { node, name, isRoot, isFirst, isLast, groups } = props
  const { t } = useTranslation('audience')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  /** The focus goes back here, unless the deed takes it elsewhere: the menu itself would take it back later. */
  const close = () => {
    setAnchor(null)
    anchor?.focus()
  }
  const item = (label: string, run: () => void, disabled = false) => (
    <MenuItem
      key={label}
      disabled={disabled}
      onClick={() => {
        close()
        run()
      }}
    >
      <ListItemText>{label}</ListItemText>
    </MenuItem>
  )
  return (
    <>
      <Tooltip title={t('tree.deeds', { name })}>
        <IconButton
          size="small"
          aria-label={t('tree.deeds', { name })}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <EllipsisVertical size={18} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close} disableRestoreFocus>
        {item(t(node.not ? 'tree.holds' : 'tree.not'), props.onNot)}
        {!isRoot && [
          item(t('tree.up'), () => props.onShift(-1), isFirst),
          item(t('tree.down'), () => props.onShift(1), isLast),
          item(t('tree.wrap'), props.onWrap),
          item(t(isGroup(node) ? 'tree.double_group' : 'tree.double'), props.onDouble),
          ...groups.map((one) => item(t('tree.into', { name: one.name }), () => props.onMove(one.id))),
          <Divider key="divider" />,
          item(t('tree.remove'), props.onRemove),
        ]}
      </Menu>
    </>
  )
}
