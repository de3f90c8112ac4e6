import { Alert, Button, Stack, TextField, Typography } from '@mui/material'
import { useMutation } from '@tanstack/react-query'
import { Upload } from 'lucide-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../../api/problem'
import { ACCEPT, judge, upload } from '../../../api/upload'
import { wordsFor } from '../../../shared/words'
import type { Field, Form, Values } from './template'

interface Props {
  form: Form
  values: Values
  onChange: (next: Values) => void
}

/** The variables of a template, each with the example that it was approved with. */
export function TemplateFields({ form, values, onChange }: Props) {
  const { t: d } = useTranslation('desk')
  const label = (field: Field) => {
    if (field.place === 'button') return d('template.button_end', { name: field.name })
    if (field.place === 'code') return d('template.code', { name: field.name })
    return /^\d+$/.test(field.name)
      ? d(`template.${field.place as 'header' | 'body'}`, { number: field.name })
      : field.name
  }
  return form.fields.map((field, index) =>
    field.place === 'file' ? (
      <FileField
        key={field.key}
        kind={form.file ?? 'image'}
        isThere={Boolean(values.file)}
        onFile={(id) => onChange({ ...values, file: id })}
      />
    ) : (
      <TextField
        key={field.key}
        required
        autoFocus={index === 0}
        label={label(field)}
        value={values[field.key] ?? ''}
        placeholder={field.example}
        onChange={(event) => onChange({ ...values, [field.key]: event.target.value })}
        slotProps={{ inputLabel: { shrink: true }, htmlInput: { maxLength: 1000 } }}
      />
    ),
  )
}

function FileField({
  kind,
  isThere,
  onFile,
}: {
  kind: NonNullable<Form['file']>
  isThere: boolean
  onFile: (id: string) => void
}) {
  const { t } = useTranslation()
  const { t: d } = useTranslation('desk')
  const input = useRef<HTMLInputElement>(null)
  const send = useMutation({
    mutationFn: (file: File) => {
      const verdict = judge(file)
      if (!('kind' in verdict) || verdict.kind !== kind) throw new Problem(422, 'file_refused', file.name)
      return upload(file, crypto.randomUUID(), () => undefined)
    },
    onSuccess: (kept) => onFile(kept.id),
  })
  return (
    <Stack sx={{ gap: 1, alignItems: 'flex-start' }}>
      <Typography variant="body2">{d('template.file', { kind: t(`file.kind_${kind}`) })}</Typography>
      <Button
        variant="outlined"
        startIcon={<Upload size={16} />}
        loading={send.isPending}
        onClick={() => input.current?.click()}
      >
        {isThere ? d('template.file_there', { name: send.variables?.name ?? '' }) : d('composer.attach')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept={ACCEPT}
        aria-label={d('composer.attach')}
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) send.mutate(file)
        }}
      />
      {send.error && <Alert severity="error">{wordsFor(send.error, t)}</Alert>}
    </Stack>
  )
}
