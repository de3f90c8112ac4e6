/** Where somebody is signed in, each of which can be ended. */
import { Button, Dialog, DialogActions, DialogContent, DialogTitle, List, ListItem, ListItemText } from '@mui/material'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { dateTime } from '../../shared/format'
import { Empty, Failed, Loading } from '../../shared/States'

export function SessionsDialog({ user, onClose }: { user: { id: string; name: string }; onClose: () => void }) {
  const { t, i18n } = useTranslation('admin')
  const { t: c } = useTranslation()
  const client = useQueryClient()
  const changes = useMay('users:write')
  const key = ['users', user.id, 'sessions']
  const asked = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      (await data(api.GET('/api/v1/users/{user_id}/sessions', { params: { path: { user_id: user.id } }, signal })))
        .items,
  })
  const end = useMutation({
    mutationFn: (session_id: string) =>
      data(
        api.DELETE('/api/v1/users/{user_id}/sessions/{session_id}', {
          params: { path: { user_id: user.id, session_id } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  })
  return (
    <Dialog open onClose={onClose} aria-labelledby="sessions-title" fullWidth maxWidth="sm">
      <DialogTitle id="sessions-title">{t('user.sessions_of', { name: user.name })}</DialogTitle>
      <DialogContent>
        {end.isError && <Failed error={end.error} onRetry={() => end.reset()} />}
        {asked.isPending ? (
          <Loading />
        ) : asked.isError ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : asked.data.length === 0 ? (
          <Empty title={t('user.no_sessions')} />
        ) : (
          <List disablePadding>
            {asked.data.map((one) => (
              <ListItem
                key={one.id}
                disableGutters
                divider
                secondaryAction={
                  changes && (
                    <Button size="small" color="error" onClick={() => end.mutate(one.id)}>
                      {t('user.end')}
                    </Button>
                  )
                }
              >
                <ListItemText
                  sx={{ pr: 8 }}
                  primary={`${one.address ?? '–'} · ${one.factors.join(' + ')}`}
                  secondary={`${dateTime(one.last_used_at, i18n.language)} · ${one.user_agent ?? one.transport}`}
                  slotProps={{ secondary: { sx: { overflowWrap: 'anywhere' } } }}
                />
              </ListItem>
            ))}
          </List>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{c('dialog.cancel')}</Button>
      </DialogActions>
    </Dialog>
  )
}
