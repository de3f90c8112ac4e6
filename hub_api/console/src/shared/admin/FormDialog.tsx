/** A dialog that asks for some values and does something with them; what the hub refuses is said in it, and nothing typed is lost. */
import {
  Alert,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  FormControlLabel,
  MenuItem,
  Stack,
  Switch,
  TextField,
} from '@mui/material'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wordsFor } from '../words'

export type Value = string | number | boolean | string[] | null
export type Values = Record<string, Value | undefined>

export interface Field {
  name: string
  label: string
  /** `list`: words by commas; `levels`: `fibra:4, ingles:2`. */
  kind?: 'text' | 'long' | 'number' | 'switch' | 'select' | 'many' | 'password' | 'email' | 'time' | 'date'
  options?: { value: string; label: string }[]
  required?: boolean
  help?: string
  min?: number
  max?: number
  maxLength?: number
  disabled?: boolean
}

interface Props {
  title: string
  text?: string
  fields?: Field[]
  start?: Values
  confirm: string
  /** How one goes back, where "cancel" is what is asked. */
  dismiss?: string
  danger?: boolean
  onSubmit: (values: Values) => Promise<unknown>
  onClose: () => void
}

export function FormDialog({
  title,
  text,
  fields = [],
  start = {},
  confirm,
  dismiss,
  danger,
  onSubmit,
  onClose,
}: Props) {
  const { t } = useTranslation()
  const [values, setValues] = useState<Values>(() => ({
    ...Object.fromEntries(fields.map((one) => [one.name, emptyOf(one)])),
    ...start,
  }))
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await onSubmit(values)
      onClose()
    } catch (refused) {
      setError(refused)
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={busy ? undefined : onClose} aria-labelledby="form-title" fullWidth maxWidth="sm">
      <form onSubmit={(event) => void submit(event)}>
        <DialogTitle id="form-title">{title}</DialogTitle>
        <DialogContent>
          {text && <DialogContentText sx={{ mb: 1 }}>{text}</DialogContentText>}
          <Stack sx={{ gap: 2, pt: 1 }}>
            {error !== null && <Alert severity="error">{wordsFor(error, t)}</Alert>}
            {fields.map((one, place) => (
              <Input
                key={one.name}
                field={one}
                value={values[one.name] ?? null}
                autoFocus={place === 0}
                onChange={(next) => setValues((before) => ({ ...before, [one.name]: next }))}
              />
            ))}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose} disabled={busy}>
            {dismiss ?? t('dialog.cancel')}
          </Button>
          <Button type="submit" variant="contained" color={danger ? 'error' : 'primary'} loading={busy}>
            {confirm}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

interface InputProps {
  field: Field
  value: Value
  autoFocus: boolean
  onChange: (next: Value) => void
}

function Input({ field, value, autoFocus, onChange }: InputProps) {
  const { kind = 'text', label, options = [], required, help, min, max, maxLength, disabled } = field
  if (kind === 'switch') {
    return (
      <FormControlLabel
        label={label}
        control={<Switch checked={value === true} disabled={disabled} onChange={(_, on) => onChange(on)} />}
      />
    )
  }
  const isNumber = kind === 'number'
  const isTime = kind === 'time' || kind === 'date'
  const isChoice = kind === 'select' || kind === 'many'
  const shown = kind === 'many' ? (value ?? []) : (value ?? '')
  return (
    <TextField
      id={`field-${field.name}`}
      label={label}
      value={shown}
      required={required}
      autoFocus={autoFocus}
      disabled={disabled}
      helperText={help}
      select={isChoice}
      multiline={kind === 'long'}
      minRows={kind === 'long' ? 3 : undefined}
      maxRows={kind === 'long' ? 12 : undefined}
      type={isNumber || kind === 'password' || kind === 'email' || isTime ? kind : 'text'}
      autoComplete={kind === 'password' ? 'new-password' : 'off'}
      slotProps={{
        htmlInput: { min, max, maxLength },
        inputLabel: isTime ? { shrink: true } : {},
        select: kind === 'many' ? { multiple: true } : {},
      }}
      onChange={(event) => {
        const next: unknown = event.target.value
        if (isNumber) onChange(next === '' ? null : Number(next))
        else if (kind === 'many') onChange(next as string[])
        else onChange(next as string)
      }}
    >
      {isChoice
        ? options.map((one) => (
            <MenuItem key={one.value} value={one.value}>
              {one.label}
            </MenuItem>
          ))
        : undefined}
    </TextField>
  )
}

function emptyOf(field: Field): Value {
  if (field.kind === 'switch') return false
  if (field.kind === 'many') return []
  return field.kind === 'number' ? null : ''
}
