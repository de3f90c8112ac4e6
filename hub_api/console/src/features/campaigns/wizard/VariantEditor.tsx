/** One message of the test: its template, and where each of its variables comes from. */
import { Autocomplete, Box, IconButton, Paper, Stack, TextField, Tooltip, Typography } from '@mui/material'
import { Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { filled } from '../../conversation/composer/template'
import { type DraftVariant, type Filling, fillingsFor } from '../plan'
import { LINK, placeName } from '../sources'
import { useSourceName } from '../useSourceName'
import { Choice, Row } from './fields'
import { Phone } from './Phone'
import type { Offered } from './useTemplates'

interface Props {
  variant: DraftVariant
  offered: Offered[]
  sources: string[]
  onChange: (next: DraftVariant) => void
  onRemove?: () => void
}

export function VariantEditor({ variant, offered, sources, onChange, onRemove }: Props) {
  const { t } = useTranslation('campaigns')
  const chosen = offered.find((one) => one.key === variant.template) ?? null
  const choose = (next: Offered | null) =>
    onChange({
      ...variant,
      template: next?.key ?? null,
      variables: next ? fillingsFor(next.form.fields, variant.variables) : {},
    })
  const title = t('message.variant', { name: variant.name.toUpperCase() })
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2 }}>
      <Stack direction="row" sx={{ alignItems: 'center', mb: 1.5 }}>
        <Typography component="h4" sx={{ flex: 1, fontWeight: 700 }}>
          {title}
        </Typography>
        {onRemove && (
          <Tooltip title={t('message.remove', { name: variant.name })}>
            <IconButton size="small" aria-label={t('message.remove', { name: variant.name })} onClick={onRemove}>
              <Trash2 size={18} />
            </IconButton>
          </Tooltip>
        )}
      </Stack>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', md: 'minmax(0, 1fr) 320px' } }}>
        <Stack sx={{ gap: 2, minWidth: 0 }}>
          <Row>
            <TextField
              size="small"
              label={t('message.name')}
              value={variant.name}
              onChange={(event) =>
                onChange({ ...variant, name: event.target.value.toLowerCase().replace(/\s+/g, '_') })
              }
              slotProps={{ htmlInput: { maxLength: 40 } }}
            />
            <Autocomplete
              size="small"
              options={offered}
              value={chosen}
              onChange={(_, next) => choose(next)}
              getOptionLabel={(one) => `${one.template.name} (${one.template.language})`}
              getOptionKey={(one) => one.key}
              isOptionEqualToValue={(a, b) => a.key === b.key}
              noOptionsText={t('message.no_templates')}
              openText={t('audience.open')}
              closeText={t('audience.close')}
              clearText={t('audience.clear')}
              renderInput={(props) => <TextField {...props} label={t('message.template')} required />}
            />
          </Row>
          {Object.entries(variant.variables).map(([place, filling]) => (
            <Variable
              key={place}
              place={place}
              filling={filling}
              example={chosen?.form.fields.find((field) => field.key === place)?.example ?? ''}
              sources={sources}
              onChange={(next) => onChange({ ...variant, variables: { ...variant.variables, [place]: next } })}
            />
          ))}
        </Stack>
        {chosen && (
          <Phone
            label={t('message.preview', { name: variant.name.toUpperCase() })}
            shown={{
              header: chosen.form.header && filled(chosen.form.header, 'header', fallbacks(variant)),
              file: chosen.form.file,
              body: filled(chosen.form.body, 'body', fallbacks(variant)),
              footer: chosen.form.footer,
              buttons: chosen.form.buttons,
            }}
          />
        )}
      </Box>
    </Paper>
  )
}

/** How a short link looks; the one of a message is its own. */
const SHORT = '…/l/4fTq0ZbW9xKc2LmA'

const fallbacks = (variant: DraftVariant) =>
  Object.fromEntries(
    Object.entries(variant.variables).map(([place, { source, fallback }]) => [
      place,
      source === LINK ? SHORT : fallback,
    ]),
  )

interface VariableProps {
  place: string
  filling: Filling
  /** As whoever wrote the template imagined it. */
  example: string
  sources: string[]
  onChange: (next: Filling) => void
}

function Variable({ place, filling, example, sources, onChange }: VariableProps) {
  const { t } = useTranslation('campaigns')
  const offered = place.startsWith('header.') ? sources.filter((one) => one !== LINK) : sources
  const known = offered.includes(filling.source) ? offered : [...offered, filling.source]
  const name = useSourceName()
  return (
    <Row>
      <Choice
        label={t('message.place', { place: placeName(place) })}
        value={filling.source}
        options={known.map((value) => ({ value, label: name(value) }))}
        onChange={(source) => onChange({ ...filling, source })}
      />
      {filling.source === LINK ? (
        <TextField
          size="small"
          required
          type="url"
          label={t('message.link', { place: placeName(place) })}
          helperText={t(place.startsWith('button.') ? 'message.link_button_help' : 'message.link_help')}
          value={filling.url ?? ''}
          onChange={(event) => onChange({ ...filling, url: event.target.value })}
          slotProps={{ htmlInput: { maxLength: 2000, inputMode: 'url' } }}
        />
      ) : (
        <TextField
          size="small"
          required
          label={filling.source === 'text' ? t('message.text') : t('message.fallback', { place: placeName(place) })}
          value={filling.fallback}
          placeholder={example && t('message.example', { example })}
          onChange={(event) => onChange({ ...filling, fallback: event.target.value })}
          slotProps={{ htmlInput: { maxLength: 500 } }}
        />
      )}
    </Row>
  )
}
