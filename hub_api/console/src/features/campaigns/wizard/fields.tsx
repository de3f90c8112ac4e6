/** The fields of the wizard: a number, a choice, and a group of them under a heading. */
import { Box, MenuItem, Stack, TextField, type TextFieldProps, Typography } from '@mui/material'
import { type ReactNode, useId } from 'react'

type Plain = Omit<TextFieldProps, 'value' | 'onChange' | 'select' | 'type'>

interface NumberProps extends Plain {
  value: number | null
  onChange: (next: number | null) => void
  min?: number
  max?: number
  step?: number | 'any'
}

/** A number, or nothing; what is typed on the way to a number stays as it is typed. */
export function NumberField({ value, onChange, min, max, step = 1, ...rest }: NumberProps) {
  return (
    <TextField
      size="small"
      {...rest}
      type="number"
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? null : Number(event.target.value))}
      slotProps={{ htmlInput: { min, max, step, inputMode: 'decimal' } }}
    />
  )
}

interface ChoiceProps<V extends string> extends Plain {
  value: V | ''
  options: { value: V; label: string }[]
  onChange: (next: V) => void
}

export function Choice<V extends string>({ value, options, onChange, ...rest }: ChoiceProps<V>) {
  const id = useId()
  return (
    <TextField
      id={id}
      size="small"
      {...rest}
      select
      value={options.some((one) => one.value === value) ? value : ''}
      onChange={(event) => onChange(event.target.value as V)}
    >
      {options.map((one) => (
        <MenuItem key={one.value} value={one.value} sx={{ whiteSpace: 'normal' }}>
          {one.label}
        </MenuItem>
      ))}
    </TextField>
  )
}

/** Fields that belong together. */
export function Group({ title, help, children }: { title: string; help?: string; children: ReactNode }) {
  const id = useId()
  return (
    <Box component="section" aria-labelledby={id}>
      <Typography id={id} component="h4" sx={{ fontWeight: 700, mb: help ? 0 : 1 }}>
        {title}
      </Typography>
      {help && (
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1.5 }}>
          {help}
        </Typography>
      )}
      <Stack sx={{ gap: 2 }}>{children}</Stack>
    </Box>
  )
}

/** Fields beside each other where there is room. */
export function Row({ children }: { children: ReactNode }) {
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: 'repeat(auto-fit, minmax(min(180px, 100%), 1fr))',
        alignItems: 'start',
      }}
    >
      {children}
    </Box>
  )
}
