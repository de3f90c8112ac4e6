/** The frame of a page of administration: its title, what can be begun on it, parts as tabs, and room that scrolls. */
import { Box, Stack, Tab, Tabs, Typography } from '@mui/material'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'

export interface Part {
  key: string
  label: string
}

interface Props {
  title: string
  subtitle?: string
  actions?: ReactNode
  /** Parts with addresses of their own: `<base>/<key>`. */
  parts?: Part[]
  base?: string
  part?: string
  children: ReactNode
}

export function Page({ title, subtitle, actions, parts, base, part, children }: Props) {
  const [, go] = useLocation()
  return (
    <Box sx={{ flex: 1, minWidth: 0, overflowY: 'auto', p: { xs: 1.5, sm: 3 } }} tabIndex={-1}>
      <Box sx={{ maxWidth: 1280, mx: 'auto' }}>
        <Stack direction="row" sx={{ alignItems: 'center', flexWrap: 'wrap', gap: 1, mb: 2 }}>
          <Box sx={{ flex: 1, minWidth: 200 }}>
            <Typography component="h2" variant="h5" sx={{ fontWeight: 700 }}>
              {title}
            </Typography>
            {subtitle && (
              <Typography variant="body2" sx={{ color: 'text.secondary' }}>
                {subtitle}
              </Typography>
            )}
          </Box>
          {actions}
        </Stack>
        {parts && parts.length > 1 && base && (
          <Tabs
            value={part}
            onChange={(_, next: string) => go(`${base}/${next}`)}
            variant="scrollable"
            allowScrollButtonsMobile
            aria-label={title}
            sx={{ mb: 2, borderBottom: 1, borderColor: 'divider' }}
          >
            {parts.map((one) => (
              <Tab key={one.key} value={one.key} label={one.label} component={Link} href={`${base}/${one.key}`} />
            ))}
          </Tabs>
        )}
        {children}
      </Box>
    </Box>
  )
}
