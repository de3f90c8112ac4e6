/** A list of things that are made, changed and removed alike: a button, the rows, the dialogs. */
import { Button } from '@mui/material'
import { Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { type Field, FormDialog, type Values } from '../../shared/admin/FormDialog'
import { type Column, Listing, type Reading } from '../../shared/admin/Listing'
import type { useDeeds } from '../../shared/admin/useAdmin'

interface Props<Row> {
  label: string
  newLabel: string
  empty: string
  reading: Reading
  rows: Row[]
  keyOf: (row: Row) => string
  nameOf: (row: Row) => string
  columns: Column<Row>[]
  /** Fields of a new one, and of one that is changed. */
  fields: (row: Row | null) => Field[]
  start: (row: Row | null) => Values
  /** Whether this person may change anything; left out: yes. */
  changes?: boolean
  create?: (values: Values) => Promise<unknown>
  change?: (row: Row, values: Values) => Promise<unknown>
  remove?: (row: Row) => Promise<unknown>
  deeds: ReturnType<typeof useDeeds>
  more?: { label: string; run: (row: Row) => void }[]
}

export function Kept<Row>(props: Props<Row>) {
  const { label, newLabel, reading, rows, keyOf, nameOf, columns, fields, start, changes = true, deeds } = props
  const { create, change, remove, more = [] } = changes ? props : {}
  const { t } = useTranslation('admin')
  const ask = (row: Row | null, save: (values: Values) => Promise<unknown>) =>
    deeds.open(
      <FormDialog
        title={row ? t('change_of', { name: nameOf(row) }) : newLabel}
        fields={fields(row)}
        start={start(row)}
        confirm={t('save')}
        onSubmit={async (values) => {
          await save(values)
          await deeds.done(t('done'))
        }}
        onClose={deeds.close}
      />,
    )
  return (
    <>
      {create && (
        <Button variant="contained" startIcon={<Plus size={18} />} sx={{ mb: 2 }} onClick={() => ask(null, create)}>
          {newLabel}
        </Button>
      )}
      <Listing
        label={label}
        reading={reading}
        rows={rows}
        keyOf={keyOf}
        nameOf={nameOf}
        columns={columns}
        empty={props.empty}
        deeds={[
          ...(change ? [{ label: t('change'), run: (row: Row) => ask(row, (values) => change(row, values)) }] : []),
          ...more,
          ...(remove
            ? [
                {
                  label: t('remove'),
                  run: (row: Row) =>
                    deeds.open(
                      <FormDialog
                        title={t('remove_of', { name: nameOf(row) })}
                        text={t('remove_help')}
                        confirm={t('remove')}
                        danger
                        onSubmit={async () => {
                          await remove(row)
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
              ]
            : []),
        ]}
      />
      {deeds.shown}
    </>
  )
}
