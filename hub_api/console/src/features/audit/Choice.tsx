/** One of many codes, found by its words or by itself; none chosen: any. */
import { Autocomplete, Box, createFilterOptions, TextField, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'

interface Props {
  id: string
  label: string
  codes: string[]
  wordsOf: (code: string) => string
  value: string
  onChange: (code: string) => void
  /** Codes that are not among the choices can be typed. */
  free?: boolean
}

export function Choice({ id, label, codes, wordsOf, value, onChange, free = false }: Props) {
  const { t, i18n } = useTranslation('audit')
  const sorted = [...codes].sort((one, other) => wordsOf(one).localeCompare(wordsOf(other), i18n.language))
  // On leaving a field that can be typed in, what stands there comes back as if typed: the words of the choice, not its code.
  const codeOf = (text: string) => [value, ...sorted].find((code) => code && wordsOf(code) === text) ?? text
  return (
    <Autocomplete
      id={id}
      size="small"
      disablePortal // the list belongs to the search, for who reads by landmarks
      freeSolo={free}
      autoSelect={free} // what was typed counts without Enter too
      autoHighlight={!free}
      options={sorted}
      value={value || null}
      onChange={(_, next) => onChange(codeOf(next?.trim() ?? ''))}
      getOptionLabel={wordsOf}
      getOptionKey={(code) => code}
      filterOptions={createFilterOptions({ stringify: (code) => `${wordsOf(code)} ${code}` })}
      renderOption={({ key, ...rest }, code) => (
        <li key={key} {...rest}>
          <Box sx={{ overflowWrap: 'anywhere' }}>
            {wordsOf(code)}
            <Typography component="span" variant="caption" sx={{ display: 'block', color: 'text.secondary' }}>
              {code}
            </Typography>
          </Box>
        </li>
      )}
      noOptionsText={t('choice.none')}
      openText={t('choice.open')}
      closeText={t('choice.close')}
      clearText={t('choice.clear')}
      renderInput={(params) => <TextField {...params} label={label} />}
      sx={{ flex: '1 1 220px' }}
    />
  )
}
