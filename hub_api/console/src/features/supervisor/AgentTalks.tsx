/** The conversations that somebody has: listen to one (it opens, live), take it over, or hand it on. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  List,
  ListItem,
  ListItemText,
  Stack,
} from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { api, data } from '../../api/client'
import { useMay, useMe } from '../../app/session'
import type { AgentState } from '../../live/boards'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { shortly } from '../../shared/format'
import { Empty, Failed, Loading } from '../../shared/States'
import { HandOnDialog } from './HandOnDialog'

export function AgentTalks({ agent, deeds }: { agent: AgentState; deeds: ReturnType<typeof useDeeds> }) {
  const { t, i18n } = useTranslation('boards')
  const { t: c } = useTranslation()
  const [, go] = useLocation()
  const me = useMe()
  const writes = useMay('conversations:write')
  const asked = useQuery({
    queryKey: ['conversations', 'of', agent.user_id],
    refetchInterval: 5000,
    queryFn: async ({ signal }) => {
      const query = { agent_id: agent.user_id, limit: 100 }
      return (await data(api.GET('/api/v1/conversations', { params: { query }, signal }))).items
    },
  })
  const take = async (id: string) => {
    const params = { path: { conversation_id: id } }
    const taken = data(
      api.POST('/api/v1/conversations/{conversation_id}/assign', {
        params,
        body: { agent_id: me.id, reason: 'taken_over' },
      }),
    )
    await deeds.run(taken, t('agent.taken'))
    await asked.refetch()
  }
  return (
    <Dialog open onClose={deeds.close} aria-labelledby="talks-title" fullWidth maxWidth="sm">
      <DialogTitle id="talks-title">{t('agent.talks_of', { name: agent.name })}</DialogTitle>
      <DialogContent>
        {asked.isPending ? (
          <Loading />
        ) : asked.isError ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : asked.data.length === 0 ? (
          <Empty title={t('agent.no_talks')} />
        ) : (
          <List disablePadding>
            {asked.data.map((one) => (
              <ListItem key={one.id} disableGutters divider sx={{ flexWrap: 'wrap', gap: 1 }}>
                <ListItemText
                  primary={one.customer_name ?? one.protocol}
                  secondary={`${one.protocol} · ${one.last_message_at ? shortly(one.last_message_at, i18n.language) : ''}`}
                />
                <Stack direction="row" sx={{ gap: 0.5 }}>
                  <Button
                    size="small"
                    onClick={() => {
                      deeds.close()
                      go(`/all/${one.id}`)
                    }}
                  >
                    {t('agent.listen')}
                  </Button>
                  {writes && agent.user_id !== me.id && (
                    <Button size="small" onClick={() => void take(one.id)}>
                      {t('agent.take')}
                    </Button>
                  )}
                  {writes && (
                    <Button
                      size="small"
                      onClick={() => deeds.open(<HandOnDialog id={one.id} protocol={one.protocol} deeds={deeds} />)}
                    >
                      {t('agent.hand_on')}
                    </Button>
                  )}
                </Stack>
              </ListItem>
            ))}
          </List>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={deeds.close}>{c('dialog.cancel')}</Button>
      </DialogActions>
    </Dialog>
  )
}
