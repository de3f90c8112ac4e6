/** The way from page to page: a rail at the side of a wide window, a drawer on a phone. */
import {
  Box,
  Drawer,
  IconButton,
  List,
  ListItem,
  ListItemButton,
  ListItemIcon,
  ListItemText,
  Tooltip,
} from '@mui/material'
import { Menu } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { isList } from '../features/inbox/lists'
import { PLACES } from './pages'
import { useMe } from './session'

/** The places that this person may go to, and whether he is there. */
function usePlaces() {
  const me = useMe()
  const [at] = useLocation()
  const first = at.split('/')[1] ?? ''
  return PLACES.filter((one) => me.permissions.includes(one.permission)).map((one) => ({
    ...one,
    isHere: one.to === '/mine' ? isList(first) : first === one.to.split('/')[1],
  }))
}

export function Rail() {
  const { t } = useTranslation()
  const places = usePlaces()
  if (places.length < 2) return null
  return (
    <Box
      component="nav"
      aria-label={t('nav.label')}
      sx={{
        display: { xs: 'none', md: 'block' },
        width: 84,
        flexShrink: 0,
        borderRight: 1,
        borderColor: 'divider',
        bgcolor: 'background.paper',
        overflowY: 'auto',
      }}
    >
      <List disablePadding>
        {places.map(({ to, label, icon: Icon, isHere }) => (
          <ListItem key={to} disablePadding>
            <ListItemButton
              component={Link}
              href={to}
              aria-current={isHere ? 'page' : undefined}
              selected={isHere}
              sx={{ flexDirection: 'column', gap: 0.25, px: 0.5, py: 0.5 }}
            >
              <Icon size={20} aria-hidden />
              <Box
                component="span"
                sx={{ fontSize: 11, lineHeight: 1.2, textAlign: 'center', overflowWrap: 'anywhere' }}
              >
                {t(`nav.${label}`)}
              </Box>
            </ListItemButton>
          </ListItem>
        ))}
      </List>
    </Box>
  )
}

export function PhoneNavigation() {
  const { t } = useTranslation()
  const places = usePlaces()
  const [open, setOpen] = useState(false)
  if (places.length < 2) return null
  return (
    <Box sx={{ display: { md: 'none' } }}>
      <Tooltip title={t('nav.label')}>
        <IconButton aria-label={t('nav.label')} aria-expanded={open} onClick={() => setOpen(true)} size="small">
          <Menu size={22} />
        </IconButton>
      </Tooltip>
      <Drawer
        open={open}
        onClose={() => setOpen(false)}
        slotProps={{ paper: { role: 'dialog', 'aria-label': t('nav.label'), sx: { width: 260 } } }}
      >
        <List component="nav" aria-label={t('nav.label')}>
          {places.map(({ to, label, icon: Icon, isHere }) => (
            <ListItemButton
              key={to}
              component={Link}
              href={to}
              aria-current={isHere ? 'page' : undefined}
              selected={isHere}
              onClick={() => setOpen(false)}
            >
              <ListItemIcon>
                <Icon size={20} aria-hidden />
              </ListItemIcon>
              <ListItemText>{t(`nav.${label}`)}</ListItemText>
            </ListItemButton>
          ))}
        </List>
      </Drawer>
    </Box>
  )
}
