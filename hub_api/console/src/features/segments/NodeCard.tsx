/** A condition, or a group of them, as a card in a card. */
import {
  Alert,
  Box,
  Button,
  Chip,
  Menu,
  MenuItem,
  Paper,
  Stack,
  ToggleButton,
  ToggleButtonGroup,
  Typography,
} from '@mui/material'
import { FolderPlus, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FieldInput } from './FieldInput'
import { BEGINS, type Catalogue, fieldsOf, withValue } from './fields'
import type { Fault } from './json'
import { NodeMenu } from './NodeMenu'
import type { Group, Leaf, Node } from './tree'
import * as trees from './tree'
import type { Segment } from './useSegments'
import { faultWords } from './words'

export interface Editing {
  tree: Node
  catalogue: Catalogue
  segments: Segment[]
  faults: Map<string, Fault[]>
  readOnly: boolean
  /** Another tree; `focus`: the condition that was made by it. */
  onTree: (next: Node, focus?: string) => void
}

interface Props {
  node: Node
  /** `1.2`: where it stands, for who hears the page. */
  place: string
  siblings: { isFirst: boolean; isLast: boolean }
  editing: Editing
}

export function NodeCard({ node, place, siblings, editing }: Props) {
  const { t } = useTranslation('audience')
  const { tree, faults, readOnly, onTree } = editing
  const group = trees.isGroup(node)
  const isRoot = tree.id === node.id
  const name = isRoot ? t('tree.root') : `${place} ${t(`kind.${node.kind}`)}`
  const mine = faults.get(node.id) ?? []
  const shown = group ? [] : fieldsOf(editing.catalogue, node).map((one) => one.name)
  const loose = mine.filter((one) => !shown.includes(one.field))
  const nameOf = (one: Node) =>
    one.id === tree.id ? t('tree.root') : `${placeOf(tree, one.id)} ${t(`kind.${one.kind}`)}`
  return (
    <Paper
      id={`node-${node.id}`}
      component="section"
      role="group"
      aria-label={name}
      variant="outlined"
      sx={{
        p: { xs: 1, sm: 1.5 },
        borderColor: mine.length ? 'error.main' : 'divider',
        borderLeft: 4,
        borderLeftColor: mine.length ? 'error.main' : node.not ? 'warning.main' : group ? 'primary.main' : 'divider',
        bgcolor: group && !isRoot ? 'background.default' : 'background.paper',
      }}
    >
      <Stack direction="row" sx={{ alignItems: 'center', gap: 1, flexWrap: 'wrap' }}>
        {node.not && <Chip size="small" color="warning" variant="outlined" label={t('tree.not_mark')} />}
        {group ? (
          <ToggleButtonGroup
            exclusive
            size="small"
            disabled={readOnly}
            value={node.kind}
            aria-label={t('tree.which', { name })}
            onChange={(_, kind: Group | null) =>
              kind && onTree(trees.changed(tree, node.id, (one) => ({ ...one, kind })))
            }
          >
            <ToggleButton value="and">{t('kind.and')}</ToggleButton>
            <ToggleButton value="or">{t('kind.or')}</ToggleButton>
          </ToggleButtonGroup>
        ) : (
          <Typography variant="body2" sx={{ fontWeight: 600 }}>
            <Box component="span" sx={{ color: 'text.secondary', mr: 0.75 }}>
              {place}
            </Box>
            {t(`kind.${node.kind}`)}
          </Typography>
        )}
        <Box sx={{ flex: 1 }} />
        {!readOnly && (
          <NodeMenu
            node={node}
            name={name}
            isRoot={isRoot}
            {...siblings}
            groups={trees.targets(tree, node.id).map((one) => ({ id: one.id, name: nameOf(one) }))}
            onNot={() => onTree(trees.changed(tree, node.id, (one) => ({ ...one, not: !one.not })))}
            onShift={(by) => onTree(trees.shifted(tree, node.id, by), node.id)}
            onMove={(to) => onTree(trees.moved(tree, node.id, to), node.id)}
            onWrap={() => onTree(trees.wrapped(tree, node.id, 'or'), node.id)}
            onDouble={() => onTree(trees.doubled(tree, node.id))}
            onRemove={() => onTree(trees.removed(tree, node.id), trees.parentOf(tree, node.id)?.id)}
          />
        )}
      </Stack>
      {loose.map((one) => (
        <Alert key={one.field + one.message} severity="error" sx={{ mt: 1, py: 0 }}>
          {faultWords(one.message, t)}
        </Alert>
      ))}
      {group ? (
        <Inside node={node} place={place} editing={editing} />
      ) : (
        <Fields node={node} editing={editing} mine={mine} />
      )}
    </Paper>
  )
}

function Inside({ node, place, editing }: { node: Node; place: string; editing: Editing }) {
  const { t } = useTranslation('audience')
  const joined = t(node.kind === 'and' ? 'tree.and' : 'tree.or')
  return (
    <Stack sx={{ gap: 1, mt: 1 }}>
      {node.of.length === 0 && (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('tree.empty')}
        </Typography>
      )}
      {node.of.map((one, number) => (
        <Box key={one.id}>
          {number > 0 && (
            <Typography
              variant="caption"
              sx={{ display: 'block', color: 'text.secondary', fontWeight: 700, mb: 0.5, ml: 1 }}
            >
              {joined}
            </Typography>
          )}
          <NodeCard
            node={one}
            place={place ? `${place}.${number + 1}` : String(number + 1)}
            siblings={{ isFirst: number === 0, isLast: number === node.of.length - 1 }}
            editing={editing}
          />
        </Box>
      ))}
      {!editing.readOnly && <Add group={node} editing={editing} />}
    </Stack>
  )
}

function Add({ group, editing }: { group: Node; editing: Editing }) {
  const { t } = useTranslation('audience')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const { tree, catalogue, onTree } = editing
  const put = (made: Node) => {
    setAnchor(null)
    onTree(trees.added(tree, group.id, made), made.id)
  }
  const full = trees.size(tree) >= catalogue.most_conditions
  return (
    <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
      <Button
        size="small"
        startIcon={<Plus size={16} />}
        aria-haspopup="menu"
        disabled={full}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        {t('tree.add')}
      </Button>
      <Button
        size="small"
        startIcon={<FolderPlus size={16} />}
        disabled={full || trees.depth(tree) + 1 >= catalogue.most_depth}
        onClick={() => put(trees.node(group.kind === 'and' ? 'or' : 'and'))}
      >
        {t('tree.add_group')}
      </Button>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        disableRestoreFocus // the condition that was chosen gets it
        onClose={() => {
          setAnchor(null)
          anchor?.focus()
        }}
      >
        {trees.LEAVES.map((kind: Leaf) => (
          <MenuItem key={kind} onClick={() => put(trees.node(kind, { ...BEGINS[kind] }))}>
            <Box>
              {t(`kind.${kind}`)}
              <Typography
                variant="caption"
                sx={{ display: 'block', color: 'text.secondary', whiteSpace: 'normal', maxWidth: 320 }}
              >
                {t(`kind_help.${kind}`)}
              </Typography>
            </Box>
          </MenuItem>
        ))}
      </Menu>
    </Stack>
  )
}

function Fields({ node, editing, mine }: { node: Node; editing: Editing; mine: Fault[] }) {
  const { t } = useTranslation('audience')
  const { tree, catalogue, segments, readOnly, onTree } = editing
  return (
    <Stack direction="row" sx={{ gap: 1.25, flexWrap: 'wrap', mt: 1.25, alignItems: 'flex-start' }}>
      {fieldsOf(catalogue, node).map((field) => {
        const fault = mine.find((one) => one.field === field.name)
        return (
          <FieldInput
            key={`${field.name}-${field.as}`}
            node={node}
            field={field}
            catalogue={catalogue}
            segments={segments}
            disabled={readOnly}
            error={fault ? faultWords(fault.message, t) : null}
            onChange={(value) =>
              onTree(trees.changed(tree, node.id, (one) => withValue(catalogue, one, field.name, value)))
            }
          />
        )
      })}
    </Stack>
  )
}

function placeOf(tree: Node, id: string): string {
  const parent = trees.parentOf(tree, id)
  if (!parent) return ''
  const number = String(parent.of.findIndex((one) => one.id === id) + 1)
  const before = placeOf(tree, parent.id)
  return before ? `${before}.${number}` : number
}
