/** A CSV file for the hub, and what became of each of its lines. */
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
  Typography,
} from '@mui/material'
import { FileUp } from 'lucide-react'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wordsFor } from '../words'
import type { useDeeds } from './useAdmin'

interface Report {
  received: number
  written: number
  unchanged: number
  rejected: number
  errors: { position: number; field: string | null; message: string }[]
}

interface Props {
  title: string
  help: string
  send: (file: File) => Promise<Report>
  /** Why a line was refused, in words: by its column, or as the hub told it. */
  fault: (field: string, message: string) => string
  deeds: ReturnType<typeof useDeeds>
  /** Fields that go with the file. */
  children?: ReactNode
}

/** The body of a request with a file and plain fields, as forms send it. */
export function formOf<Fields extends Record<string, string>>(file: File, fields: Fields) {
  const bodySerializer = () => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', file, file.name)
    return form
  }
  return { body: { file: file as unknown as string, ...fields }, bodySerializer }
}

export function LoadDialog({ title, help, send, fault, deeds, children }: Props) {
  const { t } = useTranslation('admin')
  const { t: c } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
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
      setReport(await send(file))
      await deeds.done(t('upload.done'))
    } catch (refused) {
      setError(refused)
    }
    setBusy(false)
  }
  return (
    <Dialog open onClose={busy ? undefined : deeds.close} aria-labelledby="upload-title" fullWidth maxWidth="sm">
      <form onSubmit={(event) => void submit(event)}>
        <DialogTitle id="upload-title">{title}</DialogTitle>
        <DialogContent>
          <DialogContentText sx={{ mb: 2 }}>{help}</DialogContentText>
          <Stack sx={{ gap: 2 }}>
            {error !== null && <Alert severity="error">{wordsFor(error, c)}</Alert>}
            {children}
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
            {report && <Told report={report} fault={fault} />}
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

function Told({ report, fault }: { report: Report } & Pick<Props, 'fault'>) {
  const { t } = useTranslation('admin')
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
                <TableCell>{fault(one.field ?? '', one.message)}</TableCell>
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
