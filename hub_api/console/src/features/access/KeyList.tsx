/** Keys as a list: made, shown once, revoked. What each kind may do are columns of its own. */
import { Alert, Button, Chip, Dialog, DialogActions, DialogContent, DialogTitle, TextField } from '@mui/material'
import { KeyRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { FormDialog } from '../../shared/admin/FormDialog'
import { type Column, Listing, type Reading } from '../../shared/admin/Listing'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { dateTime } from '../../shared/format'

interface Key {
  id: string
  name: string
  revoked_at: string | null
  /** Left out of keys that do not expire. */
  expires_at?: string | null
  last_used_at: string | null
}

interface Props<Row extends Key> {
  label: string
  reading: Reading
  rows: Row[]
  columns: Column<Row>[]
  /** Left out where this person may change none. */
  make?: () => void
  revoke: (key: Row) => Promise<unknown>
  revokeHelp: (key: Row) => string
  deeds: ReturnType<typeof useDeeds>
}

export function KeyList<Row extends Key>({
  label,
  reading,
  rows,
  columns,
  make,
  revoke,
  revokeHelp,
  deeds,
}: Props<Row>) {
  const { t, i18n } = useTranslation('admin')
  return (
    <>
      {make && (
        <Button variant="contained" startIcon={<KeyRound size={18} />} sx={{ mb: 2 }} onClick={make}>
          {t('key.new')}
        </Button>
      )}
      <Listing
        label={label}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t('key.none')}
        columns={[
          { label: t('key.name'), show: (one) => one.name },
          ...columns,
          {
            label: t('key.state'),
            show: (one) => {
              const state = stateOf(one)
              return <Chip size="small" color={state === 'valid' ? 'success' : 'default'} label={t(`key.${state}`)} />
            },
          },
          {
            label: t('key.last_used'),
            show: (one) => (one.last_used_at ? dateTime(one.last_used_at, i18n.language) : '–'),
          },
        ]}
        deeds={
          make
            ? [
                {
                  label: t('key.revoke'),
                  when: (one: Row) => !one.revoked_at,
                  run: (one: Row) =>
                    deeds.open(
                      <FormDialog
                        title={t('key.revoke')}
                        text={revokeHelp(one)}
                        confirm={t('key.revoke')}
                        danger
                        onSubmit={async () => {
                          await revoke(one)
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </>
  )
}

function stateOf(key: Key): 'revoked' | 'expired' | 'valid' {
  if (key.revoked_at) return 'revoked'
  return key.expires_at && Date.parse(key.expires_at) <= Date.now() ? 'expired' : 'valid'
}

/** A secret that is shown this once; `id` where whoever uses it needs that too. */
export function Made({ id, secret, onClose }: { id?: string; secret: string; onClose: () => void }) {
  const { t } = useTranslation('admin')
  return (
    <Dialog open aria-labelledby="key-title" fullWidth maxWidth="sm">
      <DialogTitle id="key-title">{t('key.made')}</DialogTitle>
      <DialogContent>
        <Alert severity="warning" sx={{ mb: 2 }}>
          {t('key.once')}
        </Alert>
        {id && (
          <TextField
            id="made-id"
            label={t('key.id')}
            value={id}
            fullWidth
            sx={{ mb: 2 }}
            slotProps={{ htmlInput: { readOnly: true, style: { fontFamily: 'monospace' } } }}
          />
        )}
        <TextField
          id="made-key"
          label={t('key.secret')}
          value={secret}
          fullWidth
          slotProps={{ htmlInput: { readOnly: true, style: { fontFamily: 'monospace' } } }}
        />
      </DialogContent>
      <DialogActions>
        <Button onClick={() => void navigator.clipboard?.writeText(secret)}>{t('key.copy')}</Button>
        <Button variant="contained" onClick={onClose}>
          {t('key.kept')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
