/** Whether one takes conversations. While one is not offline a heartbeat says that the page is there. */
import { Alert, Button, ListItemIcon, ListItemText, Menu, MenuItem, Snackbar } from '@mui/material'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ChevronDown, Circle, CircleDashed, CircleSlash, Coffee } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Agent, Presence } from '../../api/types'
import { wordsFor } from '../../shared/words'
import { BreakDialog } from './BreakDialog'

const KINDS: { presence: Presence; Icon: typeof Circle; color: string }[] = [
  { presence: 'online', Icon: Circle, color: 'success' },
  { presence: 'away', Icon: CircleDashed, color: 'warning' },
  { presence: 'break', Icon: Coffee, color: 'warning' },
  { presence: 'offline', Icon: CircleSlash, color: 'text' },
]
const BEAT_MS = 10_000
const KEY = ['presence']

export function PresenceMenu() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const [asking, setAsking] = useState(false)
  const asked = useQuery({ queryKey: KEY, refetchInterval: 30_000, queryFn: () => data(api.GET('/api/v1/agents/me')) })
  const change = useMutation({
    mutationFn: (body: { presence: Presence; reason?: string }) =>
      data(api.PUT('/api/v1/agents/me/presence', { body })),
    onSuccess: (agent: Agent) => client.setQueryData(KEY, agent),
  })
  const presence = asked.data?.presence ?? 'offline'
  useHeartbeat(presence !== 'offline')
  const now = KINDS.find((one) => one.presence === presence) ?? KINDS[3]
  return (
    <>
      <Button
        size="small"
        color="inherit"
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        startIcon={now && <Mark {...now} />}
        endIcon={<ChevronDown size={14} />}
        aria-label={t('presence.label', { presence: t(`presence.${presence}`) })}
      >
        {t(`presence.${presence}`)}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {KINDS.map((kind) => (
          <MenuItem
            key={kind.presence}
            role="menuitemradio"
            aria-checked={kind.presence === presence}
            selected={kind.presence === presence}
            onClick={() => {
              setAnchor(null)
              if (kind.presence === 'break') setAsking(true)
              else change.mutate({ presence: kind.presence })
            }}
          >
            <ListItemIcon>
              <Mark {...kind} />
            </ListItemIcon>
            <ListItemText>{t(`presence.${kind.presence}`)}</ListItemText>
          </MenuItem>
        ))}
      </Menu>
      {asking && (
        <BreakDialog
          onClose={() => setAsking(false)}
          onDone={(reason) => {
            setAsking(false)
            change.mutate({ presence: 'break', reason })
          }}
        />
      )}
      <Snackbar open={change.isError} autoHideDuration={8000} onClose={() => change.reset()}>
        <Alert severity="error">{change.error ? wordsFor(change.error, t) : ''}</Alert>
      </Snackbar>
    </>
  )
}

function Mark({ Icon, color }: { Icon: typeof Circle; color: string }) {
  return (
    <Icon
      size={14}
      aria-hidden
      fill={Icon === Circle ? 'currentColor' : 'none'}
      color={color === 'text' ? 'currentColor' : `var(--mui-palette-${color}-main)`}
    />
  )
}

function useHeartbeat(isThere: boolean): void {
  useEffect(() => {
    if (!isThere) return
    const beat = () => void api.POST('/api/v1/agents/me/heartbeat').catch(() => undefined)
    beat()
    const timer = setInterval(beat, BEAT_MS)
    return () => clearInterval(timer)
  }, [isThere])
}
