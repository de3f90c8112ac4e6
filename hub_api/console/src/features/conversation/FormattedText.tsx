import { Box, Link } from '@mui/material'
import { Fragment, type ReactNode } from 'react'

/** *bold*, _italic_, ~struck~, `code` and addresses, as WhatsApp shows them; no markup of anybody is ever run. */
const MARKS =
  /(\*(?=\S)[^*\n]*\S\*|_(?=\S)[^_\n]*\S_|~(?=\S)[^~\n]*\S~|`[^`\n]+`|https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/g

export function FormattedText({ text }: { text: string }) {
  return <Box sx={{ whiteSpace: 'pre-wrap' }}>{formatted(text)}</Box>
}

export function formatted(text: string): ReactNode[] {
  const parts = text.split(MARKS)
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name and never change places
  return parts.map((part, index) => <Fragment key={index}>{index % 2 ? marked(part) : part}</Fragment>)
}

function marked(part: string): ReactNode {
  if (part.startsWith('http')) {
    return (
      <Link href={part} target="_blank" rel="noopener noreferrer nofollow" color="inherit">
        {part}
      </Link>
    )
  }
  const inside = part.slice(1, -1)
  switch (part[0]) {
    case '*':
      return <strong>{formatted(inside)}</strong>
    case '_':
      return <em>{formatted(inside)}</em>
    case '~':
      return <s>{formatted(inside)}</s>
    default:
      return <code>{inside}</code>
  }
}
