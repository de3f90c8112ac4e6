/** The frame of every page of the work: what is live, who one is, and the settings of the page itself. */
import { AppBar, Box, Chip, IconButton, Toolbar, Tooltip, Typography } from '@mui/material'
import { Keyboard, WifiOff } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { PresenceMenu } from '../features/presence/PresenceMenu'
import { useConnected } from '../live/useLive'
import { AccountMenu } from './AccountMenu'
import { PhoneNavigation, Rail } from './Navigation'
import { ShortcutsDialog } from './ShortcutsDialog'
import { useMay, useMayListen } from './session'
import { useShortcuts } from './shortcuts'

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const [helping, setHelping] = useState(false)
  const serves = useMay('presence:use')
  const listens = useMayListen()
  useShortcuts({ help: () => setHelping(true) })
  return (
    <Box sx={{ height: '100dvh', display: 'flex', flexDirection: 'column' }}>
      <AppBar
        position="static"
        color="transparent"
        elevation={0}
        sx={{ borderBottom: 1, borderColor: 'divider', bgcolor: 'background.paper' }}
      >
        <Toolbar variant="dense" sx={{ gap: 1, minHeight: 52 }}>
          <PhoneNavigation />
          <Box component="img" src="icon.svg" alt="" sx={{ width: 28, height: 28, borderRadius: 1.5 }} />
          <Typography component="h1" noWrap sx={{ fontWeight: 700, flex: 1 }}>
            Telecom Chat
          </Typography>
          {listens && <LiveMark />}
          {serves && <PresenceMenu />}
          <Tooltip title={t('shortcuts.title')}>
            <IconButton
              onClick={() => setHelping(true)}
              aria-label={t('shortcuts.title')}
              sx={{ display: { xs: 'none', sm: 'inline-flex' } }}
            >
              <Keyboard size={20} />
            </IconButton>
          </Tooltip>
          <AccountMenu onHelp={() => setHelping(true)} />
        </Toolbar>
      </AppBar>
      <Box sx={{ flex: 1, minHeight: 0, display: 'flex' }}>
        <Rail />
        <Box component="main" sx={{ flex: 1, minWidth: 0, display: 'flex' }}>
          {children}
        </Box>
      </Box>
      <ShortcutsDialog open={helping} onClose={() => setHelping(false)} />
    </Box>
  )
}

const PATIENCE_MS = 4000

/** Says when frames do not come; a blink is not worth a word. */
function LiveMark() {
  const { t } = useTranslation()
  const connected = useConnected()
  const [away, setAway] = useState(false)
  useEffect(() => {
    if (connected) return setAway(false)
    const timer = setTimeout(() => setAway(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [connected])
  return (
    <Box role="status">
      {away && (
        <Tooltip title={t('live.polling_help')}>
          <Chip
            size="small"
            color="warning"
            variant="outlined"
            icon={<WifiOff size={14} />}
            label={t('live.polling')}
          />
        </Tooltip>
      )}
    </Box>
  )
}
