/** An audience from a file, with what became of each of its rows. */
import { Alert, Button, Stack, Typography } from '@mui/material'
import { useMutation, useQuery } from '@tanstack/react-query'
import { FileUp } from 'lucide-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../../api/client'
import { Listing } from '../../../shared/admin/Listing'
import { usePages } from '../../../shared/admin/useAdmin'
import { Failed } from '../../../shared/States'
import { wordsFor } from '../../../shared/words'

const ROW_PROBLEMS = ['unknown_customer', 'not_a_phone', 'not_an_id', 'duplicate', 'wrong_columns'] as const

/** The file as the hub understood it; nothing before one is chosen. */
export function useUpload(id: string | undefined) {
  return useQuery({
    queryKey: ['campaign-audience', id],
    enabled: Boolean(id),
    staleTime: 600_000,
    queryFn: ({ signal }) =>
      data(api.GET('/api/v1/campaign-audiences/{upload_id}', { params: { path: { upload_id: id ?? '' } }, signal })),
  })
}

export function CsvUpload({ picked, onPick }: { picked?: string; onPick: (id: string) => void }) {
  const { t, i18n } = useTranslation('campaigns')
  const { t: c } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const shown = useUpload(picked)
  const send = useMutation({
    mutationFn: async (file: File) => {
      const body = { name: file.name.slice(0, 120), csv: await file.text() }
      const header = { 'idempotency-key': crypto.randomUUID() }
      return data(api.POST('/api/v1/campaign-audiences', { params: { header }, body }))
    },
    onSuccess: (made) => onPick(made.id),
  })
  const number = (value: number) => value.toLocaleString(i18n.language)
  return (
    <Stack sx={{ gap: 2, alignItems: 'flex-start' }}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('upload.help')}
      </Typography>
      <Button
        variant="outlined"
        startIcon={<FileUp size={18} />}
        loading={send.isPending}
        onClick={() => input.current?.click()}
      >
        {picked ? t('upload.another') : t('upload.choose')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,text/csv,text/plain"
        aria-label={t('upload.choose')}
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) send.mutate(file)
          event.target.value = ''
        }}
      />
      {send.error && <Alert severity="error">{wordsFor(send.error, c)}</Alert>}
      {shown.isError && <Failed error={shown.error} onRetry={() => void shown.refetch()} />}
      {shown.data && (
        <>
          <Alert severity={shown.data.accepted ? 'success' : 'error'} role="status" sx={{ width: '100%' }}>
            {t('upload.report', {
              name: shown.data.name,
              accepted: number(shown.data.accepted),
              rows: number(shown.data.rows),
            })}
            {shown.data.columns.length > 0 && ` ${t('upload.columns', { columns: shown.data.columns.join(', ') })}`}
          </Alert>
          {shown.data.accepted < shown.data.rows && <Problems id={shown.data.id} />}
        </>
      )}
    </Stack>
  )
}

function Problems({ id }: { id: string }) {
  const { t } = useTranslation('campaigns')
  const { reading, rows } = usePages(['campaign-audience', id, 'problems'], (cursor, signal) => {
    const params = { path: { upload_id: id }, query: { limit: 100, cursor } }
    return data(api.GET('/api/v1/campaign-audiences/{upload_id}/problems', { params, signal }))
  })
  return (
    <Stack
      sx={{ width: '100%', maxHeight: 320, overflowY: 'auto' }}
      tabIndex={0}
      role="region"
      aria-label={t('upload.problems')}
    >
      <Listing
        label={t('upload.problems')}
        reading={reading}
        rows={rows}
        keyOf={(one) => String(one.line)}
        nameOf={(one) => String(one.line)}
        empty={t('upload.no_problems')}
        columns={[
          { label: t('upload.line'), show: (one) => one.line },
          {
            label: t('upload.problem'),
            show: (one) =>
              t(`upload.why.${one.problem as (typeof ROW_PROBLEMS)[number]}`, { defaultValue: one.problem }),
          },
        ]}
      />
    </Stack>
  )
}
