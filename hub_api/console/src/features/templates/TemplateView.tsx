/** A template as the phone shows it, with its history. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  List,
  ListItem,
  ListItemText,
  Paper,
  Stack,
  Typography,
} from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { Template } from '../../api/types'
import { dateTime } from '../../shared/format'
import { Failed, Loading } from '../../shared/States'
import { draftOf } from './components'

export function TemplateView({ template, onClose }: { template: Template; onClose: () => void }) {
  const { t, i18n } = useTranslation('admin')
  const { t: c } = useTranslation()
  const asked = useQuery({
    queryKey: ['admin-templates', 'one', template.id],
    queryFn: ({ signal }) =>
      data(
        api.GET('/api/v1/whatsapp/templates/{template_id}', { params: { path: { template_id: template.id } }, signal }),
      ),
  })
  const draft = draftOf(template.components)
  const buttons = template.components.find((one) => String(one.type).toUpperCase() === 'BUTTONS')?.buttons as
    | { text?: string }[]
    | undefined
  const filled = draft.examples.reduce(
    (text, example, place) => text.replaceAll(`{{${place + 1}}}`, example),
    draft.body,
  )
  return (
    <Dialog open onClose={onClose} aria-labelledby="template-title" fullWidth maxWidth="sm">
      <DialogTitle id="template-title">{`${template.name} (${template.language})`}</DialogTitle>
      <DialogContent>
        <Paper
          sx={{ bgcolor: 'bubble.out', p: 1.5, mb: 2, maxWidth: 360 }}
          variant="outlined"
          aria-label={t('templates.view')}
          role="figure"
        >
          {draft.header && <Typography sx={{ fontWeight: 700 }}>{draft.header}</Typography>}
          <Typography variant="body2" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {filled}
          </Typography>
          {draft.footer && (
            <Typography variant="caption" sx={{ color: 'text.secondary' }}>
              {draft.footer}
            </Typography>
          )}
          <Stack sx={{ mt: buttons?.length ? 1 : 0, gap: 0.5 }}>
            {buttons?.map((one) => (
              <Typography
                key={one.text}
                variant="body2"
                sx={{ color: 'info.main', textAlign: 'center', borderTop: 1, borderColor: 'divider', pt: 0.5 }}
              >
                {one.text}
              </Typography>
            ))}
          </Stack>
        </Paper>
        {asked.isPending ? (
          <Loading />
        ) : asked.isError ? (
          <Failed error={asked.error} onRetry={() => void asked.refetch()} />
        ) : (
          <>
            <Typography component="h3" sx={{ fontWeight: 700 }}>
              {t('templates.history')}
            </Typography>
            <List dense disablePadding>
              {asked.data.changes.map((one) => (
                <ListItem key={`${one.changed_at} ${one.what}`} disableGutters>
                  <ListItemText
                    primary={`${one.what}: ${one.old ?? '–'} → ${one.new ?? '–'}`}
                    secondary={[dateTime(one.changed_at, i18n.language), one.reason].filter(Boolean).join(' · ')}
                  />
                </ListItem>
              ))}
            </List>
          </>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{c('dialog.cancel')}</Button>
      </DialogActions>
    </Dialog>
  )
}
