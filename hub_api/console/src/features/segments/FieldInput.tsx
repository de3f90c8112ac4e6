/** One field of a condition: a choice, values, a number, another segment. */
import { Autocomplete, FormControlLabel, MenuItem, Switch, TextField } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Catalogue, type FieldOf, kindOf, text } from './fields'
import type { Node, Value } from './tree'
import { type Segment, useValues } from './useSegments'

interface Props {
  node: Node
  field: FieldOf
  catalogue: Catalogue
  segments: Segment[]
  error: string | null
  disabled: boolean
  onChange: (next: Value) => void
}

export function FieldInput(props: Props) {
  const { node, field, catalogue, error, disabled, onChange } = props
  const { t } = useTranslation('audience')
  const id = `${node.id}-${field.name}`
  const value = node.values[field.name]
  const label = t(`field.${labelOf(node, field.name)}` as 'field.op')
  if (field.as === 'flag') {
    return (
      <FormControlLabel
        label={label}
        control={
          <Switch
            id={id}
            size="small"
            disabled={disabled}
            checked={value === true}
            onChange={(_, on) => onChange(on)}
          />
        }
      />
    )
  }
  if (field.as === 'texts') return <Texts {...props} id={id} label={label} />
  if (field.as === 'segment') return <OtherSegment {...props} id={id} label={label} />
  const shared = { id, label, size: 'small' as const, error: error !== null, helperText: error, disabled }
  if (field.as === 'ids') {
    const ids = Array.isArray(value) ? value : []
    return (
      <TextField
        {...shared}
        multiline
        minRows={2}
        maxRows={6}
        fullWidth
        defaultValue={ids.join('\n')}
        helperText={error ?? t('field.ids_help', { count: ids.length })}
        onChange={(event) => onChange([...new Set(event.target.value.split(/[\s,;]+/).filter(Boolean))])}
      />
    )
  }
  if (field.as === 'choice') {
    const options = field.options?.(catalogue, node) ?? []
    return (
      <TextField
        {...shared}
        select
        value={typeof value === 'string' && options.includes(value) ? value : ''}
        onChange={(event) => onChange(event.target.value)}
        sx={{ minWidth: field.name === 'op' ? 120 : 190, flex: '0 1 auto' }}
      >
        {options.map((one) => (
          <MenuItem key={one} value={one}>
            {t(`option.${one}` as 'option.eq', { defaultValue: one })}
          </MenuItem>
        ))}
      </TextField>
    )
  }
  const money = node.kind === 'attribute' && kindOf(catalogue, text(node, 'field') ?? '') === 'money'
  return (
    <TextField
      {...shared}
      label={money && field.name === 'value' ? t('field.money') : label}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ htmlInput: { inputMode: field.as === 'text' ? 'text' : 'decimal', maxLength: 200 } }}
      sx={{ width: field.as === 'text' || label.length > 17 ? 200 : 140 }}
    />
  )
}

interface Named extends Props {
  id: string
  label: string
}

/** Several values: those that occur are offered, others can be typed. */
function Texts({ node, field, catalogue, error, disabled, onChange, id, label }: Named) {
  const { t, i18n } = useTranslation('audience')
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const of = field.valuesOf?.(catalogue, node) ?? null
  const values = useValues(of, open)
  const counts = new Map((values.data ?? []).map((one) => [one.value, one.customers]))
  const chosen = Array.isArray(node.values[field.name]) ? (node.values[field.name] as string[]) : []
  const shown = (one: string) => t(`option.${one}` as 'option.eq', { defaultValue: one })
  return (
    <Autocomplete
      id={id}
      multiple
      freeSolo
      size="small"
      disabled={disabled}
      open={open}
      onOpen={() => setOpen(true)}
      onClose={() => setOpen(false)}
      loading={values.isFetching}
      options={[...counts.keys()]}
      value={chosen}
      inputValue={typed}
      onInputChange={(_, next) => setTyped(next)}
      getOptionLabel={shown}
      onChange={(_, next) => onChange([...new Set(next.map((one) => one.trim()).filter(Boolean))])}
      onBlur={() => {
        if (typed.trim()) onChange([...new Set([...chosen, typed.trim()])]) // what was typed and not chosen counts too
        setTyped('')
      }}
      renderOption={({ key, ...rest }, one) => (
        <li key={key} {...rest}>
          {shown(one)} ({(counts.get(one) ?? 0).toLocaleString(i18n.language)})
        </li>
      )}
      renderInput={(input) => (
        <TextField {...input} label={label} error={error !== null} helperText={error ?? undefined} />
      )}
      sx={{ flex: '1 1 240px', minWidth: { xs: '100%', sm: 240 } }}
    />
  )
}

function OtherSegment({ node, field, segments, error, disabled, onChange, id, label }: Named) {
  const { t } = useTranslation('audience')
  const chosen = segments.find((one) => one.id === text(node, field.name)) ?? null
  return (
    <Autocomplete
      id={id}
      size="small"
      disabled={disabled}
      options={segments}
      value={chosen}
      getOptionLabel={(one) => one.name}
      getOptionKey={(one) => one.id}
      isOptionEqualToValue={(one, other) => one.id === other.id}
      noOptionsText={t('segments.none')}
      onChange={(_, next) => onChange(next?.id ?? '')}
      renderInput={(input) => (
        <TextField {...input} label={label} error={error !== null} helperText={error ?? undefined} />
      )}
      sx={{ flex: '1 1 240px', minWidth: { xs: '100%', sm: 240 } }}
    />
  )
}

/** Some members of the same name mean different things. */
function labelOf(node: Node, name: string): string {
  if (name === 'value' || name === 'count' || name === 'days') return name
  if (name === 'field' || name === 'op' || name === 'window_days') return name
  if (name === 'known') return 'known'
  return name.includes('.')
    ? name.replace('.', '_')
    : name === 'label' && node.kind === 'sentiment'
      ? 'sentiment'
      : name
}
