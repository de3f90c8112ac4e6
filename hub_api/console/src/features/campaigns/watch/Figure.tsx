/** A chart with its title. */
import { Paper, Typography } from '@mui/material'
import { type ReactNode, useId } from 'react'

export function Figure({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <Paper variant="outlined" component="figure" aria-labelledby={id} sx={{ m: 0, p: 1.5, minWidth: 0 }}>
      <Typography id={id} component="figcaption" sx={{ fontWeight: 600, mb: 0.5 }}>
        {title}
      </Typography>
      {children}
    </Paper>
  )
}
