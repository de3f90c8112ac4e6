/** An approved template for when nothing else may go: found by words and language, filled in, seen as the phone shows it. */
import {
  Alert,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  List,
  ListItemButton,
  ListItemText,
  MenuItem,
  Stack,
  TextField,
  useMediaQuery,
} from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import type { Conversation, Template } from '../../../api/types'
import { Empty, Failed, Loading } from '../../../shared/States'
import { outbox } from '../outbox'
import { matches } from './suggest'
import { TemplateFields } from './TemplateFields'
import { TemplatePreview } from './TemplatePreview'
import { type Form, filled, formOf, messageOf, missing, type Values } from './template'

const MOST_SHOWN = 100
const A_NAME = /nome|name|cliente|customer/i

function useTemplates() {
  return useQuery({
    queryKey: ['templates', 'approved'],
    staleTime: 300_000,
    queryFn: async () => {
      const query = { status: 'APPROVED', limit: 500 }
      const { items } = await data(api.GET('/api/v1/whatsapp/templates', { params: { query } }))
      return items.filter((one) => one.sends && !formOf(one).isBeyond)
    },
  })
}

/** What can be known before anybody types: the customer's first name where a variable asks for a name. */
function known(form: Form, conversation: Conversation): Values {
  const first = conversation.customer_name?.split(' ')[0]
  const names = form.fields.filter((field) => field.place === 'body' && A_NAME.test(field.name))
  return first ? Object.fromEntries(names.map((field) => [field.key, first])) : {}
}

export function TemplateDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const isNarrow = useMediaQuery('(max-width: 700px)')
  const asked = useTemplates()
  const [words, setWords] = useState('')
  const [language, setLanguage] = useState('')
  const [chosen, setChosen] = useState<Template | null>(null)
  const [values, setValues] = useState<Values>({})
  const all = asked.data ?? []
  const languages = [...new Set(all.map((one) => one.language))].sort()
  const shown = matches(
    all.filter((one) => !language || one.language === language),
    (one) => [one.name.replaceAll('_', ' '), one.name, formOf(one).body],
    words.trim(),
    MOST_SHOWN,
  )
  const form = chosen && formOf(chosen)
  const lacks = form ? missing(form, values) : []
  const choose = (one: Template) => {
    setChosen(one)
    setValues(known(formOf(one), conversation))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!chosen || !form || lacks.length > 0) return
    void outbox.write(conversation.id, filled(form.body, 'body', values), { template: messageOf(chosen, form, values) })
    onClose()
  }
  return (
    <Dialog open onClose={onClose} aria-labelledby="template-title" fullWidth maxWidth="md" fullScreen={isNarrow}>
      <Box component="form" onSubmit={submit} sx={{ display: 'flex', flexDirection: 'column', minHeight: 0 }}>
        <DialogTitle id="template-title">{chosen ? chosen.name : d('template.title')}</DialogTitle>
        <DialogContent sx={{ minHeight: 320 }}>
          {asked.isPending ? (
            <Loading />
          ) : asked.isError ? (
            <Failed error={asked.error} onRetry={() => void asked.refetch()} />
          ) : chosen && form ? (
            <Stack direction={{ xs: 'column', sm: 'row' }} sx={{ gap: 3, pt: 1 }}>
              <Stack sx={{ gap: 2, flex: 1, minWidth: 0 }}>
                {form.fields.length === 0 && <Alert severity="info">{d('template.nothing_to_fill')}</Alert>}
                <TemplateFields form={form} values={values} onChange={setValues} />
              </Stack>
              <Box sx={{ flex: 1, minWidth: 0 }}>
                <TemplatePreview form={form} values={values} />
              </Box>
            </Stack>
          ) : (
            <>
              <Stack direction="row" sx={{ gap: 1, pt: 1 }}>
                <TextField
                  autoFocus
                  fullWidth
                  size="small"
                  type="search"
                  label={d('template.search')}
                  value={words}
                  onChange={(event) => setWords(event.target.value)}
                />
                {languages.length > 1 && (
                  <TextField
                    select
                    size="small"
                    label={d('template.language')}
                    value={language}
                    onChange={(event) => setLanguage(event.target.value)}
                    sx={{ minWidth: 130 }}
                  >
                    <MenuItem value="">{t('inbox.any')}</MenuItem>
                    {languages.map((one) => (
                      <MenuItem key={one} value={one}>
                        {one.replace('_', '-')}
                      </MenuItem>
                    ))}
                  </TextField>
                )}
              </Stack>
              {shown.length === 0 ? (
                <Empty title={d(all.length === 0 ? 'template.none' : 'template.no_match')} />
              ) : (
                <List dense aria-label={d('template.title')}>
                  {shown.map((one) => (
                    <ListItemButton key={one.id} onClick={() => choose(one)} sx={{ borderRadius: 1 }}>
                      <ListItemText
                        primary={`${one.name} · ${one.language.replace('_', '-')}`}
                        secondary={formOf(one).body}
                        slotProps={{ secondary: { noWrap: true }, primary: { noWrap: true, sx: { fontWeight: 600 } } }}
                      />
                    </ListItemButton>
                  ))}
                </List>
              )}
            </>
          )}
        </DialogContent>
        <DialogActions>
          {chosen && <Button onClick={() => setChosen(null)}>{d('template.other')}</Button>}
          <Box sx={{ flex: 1 }} />
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          {chosen && (
            <Button type="submit" variant="contained" disabled={lacks.length > 0}>
              {t('composer.send')}
            </Button>
          )}
        </DialogActions>
      </Box>
    </Dialog>
  )
}
