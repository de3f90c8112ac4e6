import { Box, Paper, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import type { SuggestionList } from './useSuggestions'

/** The list over the field; the field keeps the focus and the keys. */
export function Suggestions({ id, items, at, choose }: SuggestionList) {
  const { t: d } = useTranslation('desk')
  if (items.length === 0) return null
  return (
    <Paper
      elevation={6}
      id={id}
      role="listbox"
      aria-label={d('composer.suggestions')}
      sx={{
        position: 'absolute',
        bottom: '100%',
        left: 0,
        right: 0,
        mb: 0.5,
        maxHeight: 280,
        overflowY: 'auto',
        zIndex: 2,
      }}
    >
      {items.map((one, index) => (
        <Box
          key={one.key}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === at}
          onMouseDown={(event) => {
            event.preventDefault()
            choose(index)
          }}
          sx={{
            display: 'flex',
            gap: 1.5,
            px: 1.5,
            py: 0.75,
            cursor: 'pointer',
            bgcolor: index === at ? 'action.selected' : 'transparent',
            '&:hover': { bgcolor: 'action.hover' },
          }}
        >
          <Typography variant="body2" noWrap sx={{ fontWeight: 600 }}>
            {one.title}
          </Typography>
          <Typography variant="body2" noWrap sx={{ color: 'text.secondary' }}>
            {one.detail}
          </Typography>
        </Box>
      ))}
    </Paper>
  )
}
