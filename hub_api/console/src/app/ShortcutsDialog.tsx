import { Box, Dialog, DialogContent, DialogTitle, FormControlLabel, Switch, Typography } from '@mui/material'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { SHORTCUTS, setShortcutsOn, useShortcutsOn } from './shortcuts'

/** The keys and what they do. */
export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const on = useShortcutsOn()
  return (
    <Dialog open={open} onClose={onClose} aria-labelledby="shortcuts-title" maxWidth="xs" fullWidth>
      <DialogTitle id="shortcuts-title">{t('shortcuts.title')}</DialogTitle>
      <DialogContent>
        <FormControlLabel
          control={<Switch checked={on} onChange={(event) => setShortcutsOn(event.target.checked)} />}
          label={t('shortcuts.on')}
        />
        <Box
          component="dl"
          sx={{ display: 'grid', gridTemplateColumns: 'auto 1fr', gap: 1, columnGap: 2, m: 0, mt: 1 }}
        >
          {SHORTCUTS.map(({ keys, does }) => (
            <Fragment key={does}>
              <Box component="dt" sx={{ display: 'flex', gap: 0.5 }}>
                {keys.split(' ').map((key) => (
                  <Key key={key}>{key}</Key>
                ))}
              </Box>
              <Typography component="dd" sx={{ m: 0 }}>
                {t(`shortcuts.${does}`)}
              </Typography>
            </Fragment>
          ))}
          <Box component="dt">
            <Key>Enter</Key>
          </Box>
          <Typography component="dd" sx={{ m: 0 }}>
            {t('shortcuts.send')}
          </Typography>
        </Box>
      </DialogContent>
    </Dialog>
  )
}

function Key({ children }: { children: string }) {
  return (
    <Box
      component="kbd"
      sx={{
        px: 1,
        border: 1,
        borderColor: 'text.secondary',
        borderRadius: 1,
        font: 'inherit',
        minWidth: 28,
        textAlign: 'center',
      }}
    >
      {children}
    </Box>
  )
}
