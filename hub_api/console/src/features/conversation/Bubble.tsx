import { Box, Stack, Typography } from '@mui/material'
import type { ReactNode } from 'react'

interface Props {
  side: 'in' | 'out'
  tone: 'in' | 'out' | 'bot' | 'notice'
  author: string
  children: ReactNode
  /** Time and ticks. */
  foot: ReactNode
  /** Under the bubble: reactions, failures. */
  below?: ReactNode
  /** Beside the bubble: what can be done with it. */
  beside?: ReactNode
}

/** The shape of every message: who at the top, what, when at the bottom. */
export function Bubble({ side, tone, author, children, foot, below, beside }: Props) {
  const isOut = side === 'out'
  return (
    <Stack sx={{ px: { xs: 1.5, sm: 3 }, py: 0.5, alignItems: isOut ? 'flex-end' : 'flex-start' }}>
      <Box
        sx={{
          display: 'flex',
          flexDirection: isOut ? 'row-reverse' : 'row',
          alignItems: 'center',
          gap: 0.5,
          maxWidth: '100%',
          '& .actions': { opacity: 0, transition: 'opacity 120ms' },
          '&:hover .actions, &:focus-within .actions': { opacity: 1 },
          '@media (hover: none)': { '& .actions': { opacity: 1 } },
        }}
      >
        <Box
          component="article"
          sx={{
            maxWidth: 'min(560px, 88%)',
            minWidth: 120,
            px: 1.5,
            py: 1,
            bgcolor: `bubble.${tone}`,
            borderRadius: 2,
            borderTopRightRadius: isOut ? 4 : undefined,
            borderTopLeftRadius: isOut ? undefined : 4,
            boxShadow: '0 1px 1px rgb(0 0 0 / 0.12)',
            overflowWrap: 'anywhere',
          }}
        >
          <Typography variant="caption" component="div" sx={{ fontWeight: 700, color: 'text.secondary' }}>
            {author}
          </Typography>
          {children}
          <Stack
            direction="row"
            sx={{ gap: 0.5, justifyContent: 'flex-end', alignItems: 'center', color: 'text.secondary', mt: 0.25 }}
          >
            {foot}
          </Stack>
        </Box>
        {beside}
      </Box>
      {below}
    </Stack>
  )
}
