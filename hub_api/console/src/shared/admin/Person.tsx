/** Somebody in a list: the name, the phone small below it where one may see it. */
import { Typography } from '@mui/material'

export function Person({ name, phone }: { name: string; phone: string | null }) {
  return (
    <>
      {name}
      {phone && (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          {phone}
        </Typography>
      )}
    </>
  )
}
