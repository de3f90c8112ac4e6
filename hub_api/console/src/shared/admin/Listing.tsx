/** Rows of anything: a table on a wide window, one card a row on a phone. With the states of what is read, and deeds per row. */
import {
  Box,
  Button,
  IconButton,
  Menu,
  MenuItem,
  Paper,
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableRow,
  Tooltip,
} from '@mui/material'
import { EllipsisVertical, ListX } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Empty, Failed, Loading } from '../States'

export interface Column<Row> {
  label: string
  show: (row: Row) => ReactNode
  /** On one line in a table; a card of a phone breaks it where it must. */
  nowrap?: boolean
}

export interface RowDeed<Row> {
  label: string
  when?: (row: Row) => boolean
  run: (row: Row) => void
}

/** What `useQuery` and `useInfiniteQuery` say of a reading. */
export interface Reading {
  isPending: boolean
  isError: boolean
  error: unknown
  refetch: () => unknown
  hasNextPage?: boolean
  isFetchingNextPage?: boolean
  fetchNextPage?: () => unknown
}

interface Props<Row> {
  label: string
  reading: Reading
  rows: Row[]
  keyOf: (row: Row) => string
  /** How a row is called where its deeds are named. */
  nameOf: (row: Row) => string
  columns: Column<Row>[]
  deeds?: RowDeed<Row>[]
  empty: string
}

export function Listing<Row>({ label, reading, rows, keyOf, nameOf, columns, deeds = [], empty }: Props<Row>) {
  const { t } = useTranslation()
  const { t: a } = useTranslation('admin')
  if (reading.isPending) return <Loading />
  if (reading.isError) return <Failed error={reading.error} onRetry={() => void reading.refetch()} />
  if (rows.length === 0) return <Empty icon={<ListX size={40} />} title={empty} />
  return (
    <>
      <Paper variant="outlined" sx={{ overflow: 'hidden' }}>
        <Table size="small" aria-label={label} sx={PHONE}>
          <TableHead>
            <TableRow>
              {columns.map((one) => (
                <TableCell key={one.label} sx={{ fontWeight: 700 }}>
                  {one.label}
                </TableCell>
              ))}
              {deeds.length > 0 && (
                <TableCell align="right" sx={{ fontWeight: 700 }}>
                  {a('kit.deeds')}
                </TableCell>
              )}
            </TableRow>
          </TableHead>
          <TableBody>
            {rows.map((row) => (
              <TableRow key={keyOf(row)} hover>
                {columns.map((one) => (
                  <TableCell
                    key={one.label}
                    data-label={one.label}
                    sx={{ overflowWrap: 'anywhere', ...(one.nowrap && { whiteSpace: { sm: 'nowrap' } }) }}
                  >
                    <Box component="span">{one.show(row)}</Box>
                  </TableCell>
                ))}
                {deeds.length > 0 && (
                  <TableCell align="right" sx={{ whiteSpace: 'nowrap' }}>
                    <RowDeeds row={row} name={nameOf(row)} deeds={deeds} />
                  </TableCell>
                )}
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </Paper>
      {reading.hasNextPage && (
        <Button sx={{ mt: 1 }} onClick={() => reading.fetchNextPage?.()} loading={reading.isFetchingNextPage ?? false}>
          {t('state.more')}
        </Button>
      )}
    </>
  )
}

function RowDeeds<Row>({ row, name, deeds }: { row: Row; name: string; deeds: RowDeed<Row>[] }) {
  const { t } = useTranslation('admin')
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const fitting = deeds.filter((one) => one.when?.(row) ?? true)
  if (fitting.length === 0) return null
  return (
    <>
      <Tooltip title={t('kit.deeds_of', { name })}>
        <IconButton
          size="small"
          aria-label={t('kit.deeds_of', { name })}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <EllipsisVertical size={18} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)} disablePortal={false}>
        {fitting.map((one) => (
          <MenuItem
            key={one.label}
            onClick={() => {
              setAnchor(null)
              one.run(row)
            }}
          >
            {one.label}
          </MenuItem>
        ))}
      </Menu>
    </>
  )
}

/** On a phone a row is a card: each cell with its column's name before it. */
const PHONE = {
  '@media (max-width: 720px)': {
    // In pixels: a bare 1 means all of the width, which made the page wider than the phone.
    '& thead': { position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' },
    '&, & tbody, & tr': { display: 'block' },
    '& tr': { borderBottom: 1, borderColor: 'divider', py: 1 },
    '& td': { display: 'flex', gap: 1, border: 0, py: 0.5, textAlign: 'left' },
    '& td > span': { minWidth: 0 },
    '& td[data-label]::before': {
      content: 'attr(data-label)',
      flex: '0 0 36%',
      color: 'text.secondary',
      fontSize: 12,
      pt: '2px',
    },
  },
} as const
