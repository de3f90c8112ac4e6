import { Box, Divider, Typography } from '@mui/material'
import { FileText, Image, Video } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { FormattedText } from '../FormattedText'
import { type Form, filled, type Values } from './template'

const ICONS = { image: Image, video: Video, document: FileText } as const

/** The template as the phone shows it. */
export function TemplatePreview({ form, values }: { form: Form; values: Values }) {
  const { t: d } = useTranslation('desk')
  const Icon = form.file && ICONS[form.file]
  return (
    <Box
      component="section"
      aria-label={d('template.preview')}
      sx={{ bgcolor: 'background.default', borderRadius: 2, p: 2 }}
    >
      <Box sx={{ bgcolor: 'bubble.out', borderRadius: 2, px: 1.5, py: 1, overflowWrap: 'anywhere' }}>
        {Icon && (
          <Box
            sx={{ display: 'grid', placeItems: 'center', height: 120, bgcolor: 'action.hover', borderRadius: 1, mb: 1 }}
          >
            <Icon size={36} aria-hidden />
          </Box>
        )}
        {form.header && <Typography sx={{ fontWeight: 700 }}>{filled(form.header, 'header', values)}</Typography>}
        <FormattedText text={filled(form.body, 'body', values)} />
        {form.footer && (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {form.footer}
          </Typography>
        )}
        {form.buttons.map((title) => (
          <Box key={title} sx={{ textAlign: 'center', color: 'info.main', fontWeight: 600, fontSize: 14 }}>
            <Divider sx={{ my: 0.75 }} />
            {title}
          </Box>
        ))}
      </Box>
    </Box>
  )
}
