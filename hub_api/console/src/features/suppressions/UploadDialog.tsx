/** A suppression list as a CSV file, and what became of each of its lines. */
import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableRow,
  TextField,
  Typography,
} from '@mui/material'
import { FileUp } from 'lucide-react'
import { type FormEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import type { useDeeds } from '../../shared/admin/useAdmin'
import { wordsFor } from '../../shared/words'

type Report = components['schemas']['hub_api__campaigns__suppressions__routes__LoadReport']

export function UploadDialog({ list, deeds }: { list: string; deeds: ReturnType<typeof useDeeds> }) {
  const { t } = useTranslation('audience')
  const { t: c } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const [name, setName] = useState(list)
  const [file, setFile] = useState<File | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [report, setReport] = useState<Report | null>(null)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!file) return
    setBusy(true)
    setError(null)
    try {
      const body = { file: file as unknown as string, list: name.trim() }
      const bodySerializer = () => {
        const form = new FormData()
        form.append('list', name.trim())
        form.append('file', file, file.name)
        return form
      }
      setReport(await data(api.POST('/api/v1/suppressions/import', { body, bodySerializer })))
      await deeds.done(t('upload.done'))
    } catch (refused) {
      setError(refused)
    }
    setBusy(false)
  }
  return (
    <Dialog open onClose={busy ? undefined : deeds.close} aria-labelledby="upload-title" fullWidth maxWidth="sm">
      <form onSubmit={(event) => void submit(event)}>
        <DialogTitle id="upload-title">{t('upload.title')}</DialogTitle>
        <DialogContent>
          <DialogContentText sx={{ mb: 2 }}>{t('upload.help')}</DialogContentText>
          <Stack sx={{ gap: 2 }}>
            {error !== null && <Alert severity="error">{wordsFor(error, c)}</Alert>}
            <TextField
              id="upload-list"
              label={t('suppressions.list')}
              value={name}
              required
              helperText={t('suppressions.list_help')}
              slotProps={{ htmlInput: { pattern: '[a-z0-9][a-z0-9_-]{0,39}' } }}
              onChange={(event) => setName(event.target.value)}
            />
            <Button variant="outlined" startIcon={<FileUp size={18} />} onClick={() => input.current?.click()}>
              {file ? file.name : t('upload.choose')}
            </Button>
            <input
              ref={input}
              type="file"
              accept=".csv,text/csv"
              hidden
              onChange={(event) => {
                setFile(event.target.files?.[0] ?? null)
                setReport(null)
              }}
            />
            {report && <Told report={report} />}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={deeds.close} disabled={busy}>
            {t(report ? 'upload.close' : 'upload.cancel')}
          </Button>
          <Button type="submit" variant="contained" loading={busy} disabled={!file || report !== null}>
            {t('upload.send')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Told({ report }: { report: Report }) {
  const { t } = useTranslation('audience')
  const { received, written, unchanged, rejected, errors } = report
  return (
    <>
      <Alert severity={rejected ? 'warning' : 'success'}>
        {t('upload.report', { received, written, unchanged, rejected })}
      </Alert>
      {errors.length > 0 && (
        <Table size="small" aria-label={t('upload.rejected')}>
          <TableHead>
            <TableRow>
              <TableCell>{t('upload.line')}</TableCell>
              <TableCell>{t('upload.column')}</TableCell>
              <TableCell>{t('upload.why')}</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {errors.map((one) => (
              <TableRow key={`${one.position}-${one.field}`}>
                <TableCell>{one.position}</TableCell>
                <TableCell>{one.field ?? '–'}</TableCell>
                <TableCell>{t(`upload_fault.${one.field as 'phone'}`, { defaultValue: one.message })}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
      {rejected > errors.length && (
        <Typography variant="body2">{t('upload.more', { count: rejected - errors.length })}</Typography>
      )}
    </>
  )
}
