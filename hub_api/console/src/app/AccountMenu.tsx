/** Who one is; language, theme, signing out. */
import { Divider, IconButton, ListItemIcon, ListItemText, ListSubheader, Menu, MenuItem, Tooltip } from '@mui/material'
import { useColorScheme } from '@mui/material/styles'
import { Bell, Check, CircleUserRound, Keyboard, LogOut, Monitor, Moon, Sun, Volume2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { turn, useIsOn, type Way } from '../features/inbox/alerts'
import { LANGUAGES, type Language, setLanguage } from './i18n'
import { useDoor, useMe } from './session'

const WAYS = { notices: Bell, sound: Volume2 } as const
const MODES = { light: Sun, dark: Moon, system: Monitor } as const

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const { t, i18n } = useTranslation()
  const me = useMe()
  const { leave } = useDoor()
  const { mode, setMode } = useColorScheme()
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const close = () => setAnchor(null)
  return (
    <>
      <Tooltip title={t('account.menu')}>
        <IconButton
          aria-label={t('account.menu')}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
          size="small"
        >
          <CircleUserRound size={26} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close}>
        <ListSubheader role="presentation">{me.name}</ListSubheader>
        {(Object.keys(LANGUAGES) as Language[]).map((language) => (
          <MenuItem
            key={language}
            role="menuitemradio"
            aria-checked={i18n.language === language}
            lang={language}
            onClick={() => void setLanguage(language)}
          >
            <ListItemIcon>{i18n.language === language && <Check size={18} />}</ListItemIcon>
            <ListItemText>{LANGUAGES[language]}</ListItemText>
          </MenuItem>
        ))}
        <Divider />
        {(Object.keys(MODES) as (keyof typeof MODES)[]).map((one) => {
          const Icon = mode === one ? Check : MODES[one]
          return (
            <MenuItem key={one} role="menuitemradio" aria-checked={mode === one} onClick={() => setMode(one)}>
              <ListItemIcon>
                <Icon size={18} />
              </ListItemIcon>
              <ListItemText>{t(`theme.${one}`)}</ListItemText>
            </MenuItem>
          )
        })}
        <Divider />
        {(Object.keys(WAYS) as Way[]).map((way) => (
          <AlertSwitch key={way} way={way} />
        ))}
        <Divider />
        <MenuItem
          onClick={() => {
            close()
            onHelp()
          }}
        >
          <ListItemIcon>
            <Keyboard size={18} />
          </ListItemIcon>
          <ListItemText>{t('shortcuts.title')}</ListItemText>
        </MenuItem>
        <MenuItem onClick={() => void leave()}>
          <ListItemIcon>
            <LogOut size={18} />
          </ListItemIcon>
          <ListItemText>{t('account.sign_out')}</ListItemText>
        </MenuItem>
      </Menu>
    </>
  )
}

/** Whether one is told outside of the page; the browser may refuse it, and that is said. */
function AlertSwitch({ way }: { way: Way }) {
  const { t } = useTranslation()
  const on = useIsOn(way)
  const [refused, setRefused] = useState(false)
  const Icon = on ? Check : WAYS[way]
  return (
    <MenuItem
      role="menuitemcheckbox"
      aria-checked={on}
      onClick={() => void turn(way, !on).then((done) => setRefused(!done))}
    >
      <ListItemIcon>
        <Icon size={18} />
      </ListItemIcon>
      <ListItemText secondary={refused ? t('alerts.refused') : undefined}>{t(`alerts.${way}`)}</ListItemText>
    </MenuItem>
  )
}
