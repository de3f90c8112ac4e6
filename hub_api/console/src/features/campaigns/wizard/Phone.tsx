/** A message as the phone shows it: in a bubble on a phone's ground, by a template with its values or by what the hub says. */
import { Box, Divider, Typography } from '@mui/material'
import { FileText, Image, Video } from 'lucide-react'
import type { ReactNode } from 'react'
import { list, object, text } from '../../conversation/content/payload'
import { FormattedText } from '../../conversation/FormattedText'

export interface Shown {
  header: string | null
  file: 'image' | 'video' | 'document' | null
  body: string
  footer: string | null
  buttons: string[]
}

const ICONS = { image: Image, video: Video, document: FileText } as const

/** The hub's preview (`templates/preview.py`), read with care; its body is text with WhatsApp's marks. */
export function shownOf(message: Record<string, unknown>): Shown {
  const header = object(message.header)
  const format = (text(header.format) ?? '').toLowerCase()
  return {
    header: text(header.text),
    file: format in ICONS ? (format as keyof typeof ICONS) : null,
    body: list(message.body).map(marked).join(''),
    footer: text(message.footer),
    buttons: list(message.buttons).map((one) => text(one.label) ?? ''),
  }
}

const MARKS: Record<string, string> = { bold: '*', italic: '_', strike: '~', mono: '`' }

/** A run of text in one look, marked again as people type it. */
function marked(span: Record<string, unknown>): string {
  const words = text(span.text) ?? ''
  const styles: unknown[] = Array.isArray(span.styles) ? span.styles : []
  const marks = styles.map((one) => MARKS[String(one)] ?? '')
  return marks.join('') + words + marks.reverse().join('')
}

export function Phone({ label, shown, children }: { label: string; shown: Shown; children?: ReactNode }) {
  const Icon = shown.file && ICONS[shown.file]
  return (
    <Box
      component="figure"
      aria-label={label}
      sx={{
        m: 0,
        width: '100%',
        maxWidth: 320,
        p: 1.5,
        pb: 2.5,
        borderRadius: 5,
        border: 6,
        borderColor: 'divider',
        bgcolor: 'background.default',
      }}
    >
      <Typography component="figcaption" variant="caption" sx={{ display: 'block', color: 'text.secondary', mb: 1 }}>
        {label}
      </Typography>
      <Box
        sx={{ bgcolor: 'bubble.in', borderRadius: 2, borderTopLeftRadius: 4, px: 1.5, py: 1, overflowWrap: 'anywhere' }}
      >
        {Icon && (
          <Box
            sx={{ display: 'grid', placeItems: 'center', height: 96, bgcolor: 'action.hover', borderRadius: 1, mb: 1 }}
          >
            <Icon size={32} aria-hidden />
          </Box>
        )}
        {shown.header && <Typography sx={{ fontWeight: 700 }}>{shown.header}</Typography>}
        <FormattedText text={shown.body} />
        {shown.footer && (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {shown.footer}
          </Typography>
        )}
        {shown.buttons.map((title) => (
          <Box key={title} sx={{ textAlign: 'center', color: 'info.main', fontWeight: 600, fontSize: 14 }}>
            <Divider sx={{ my: 0.75 }} />
            {title}
          </Box>
        ))}
      </Box>
      {children}
    </Box>
  )
}
