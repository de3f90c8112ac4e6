import { Box, Divider, Link, Stack, Typography } from '@mui/material'
import { ExternalLink, List, Reply } from 'lucide-react'
import type { ReactNode } from 'react'
import { FormattedText } from '../FormattedText'
import { type Json, offered } from './payload'

/** Words with what the customer can tap below them, as the phone shows it; here nothing can be tapped but a link. */
export function Interactive({ body, words }: { body: Json; words: string | null }) {
  const shown = offered(body)
  return (
    <Box>
      {shown.header && <Typography sx={{ fontWeight: 700 }}>{shown.header}</Typography>}
      <FormattedText text={shown.body ?? words ?? ''} />
      {shown.footer && (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mt: 0.5 }}>
          {shown.footer}
        </Typography>
      )}
      <Stack component="ul" sx={{ listStyle: 'none', p: 0, m: 0, mt: 1, mx: -1.5 }}>
        {shown.buttons.map((title) => (
          <Tap key={title} icon={<Reply size={15} aria-hidden />}>
            {title}
          </Tap>
        ))}
        {shown.link && (
          <Tap icon={<ExternalLink size={15} aria-hidden />}>
            {shown.link.url ? (
              <Link href={shown.link.url} target="_blank" rel="noopener noreferrer nofollow" color="inherit">
                {shown.link.title}
              </Link>
            ) : (
              shown.link.title
            )}
          </Tap>
        )}
        {shown.menu && (
          <Tap icon={<List size={15} aria-hidden />}>
            <Box component="details" sx={{ width: '100%', textAlign: 'center' }}>
              <Box component="summary" sx={{ cursor: 'pointer' }}>
                {shown.menu.title}
              </Box>
              {shown.menu.sections.map((section) => (
                <Box
                  key={section.title ?? ''}
                  sx={{ textAlign: 'left', px: 1.5, color: 'text.primary', fontWeight: 400 }}
                >
                  {section.title && <Typography variant="caption">{section.title}</Typography>}
                  {section.rows.map((row) => (
                    <Box key={row.title} sx={{ py: 0.5 }}>
                      <Typography variant="body2" sx={{ fontWeight: 600 }}>
                        {row.title}
                      </Typography>
                      {row.description && <Typography variant="caption">{row.description}</Typography>}
                    </Box>
                  ))}
                </Box>
              ))}
            </Box>
          </Tap>
        )}
      </Stack>
    </Box>
  )
}

function Tap({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <Box component="li">
      <Divider component="div" />
      <Stack
        direction="row"
        sx={{
          gap: 0.75,
          py: 0.75,
          px: 1.5,
          justifyContent: 'center',
          alignItems: 'center',
          color: 'info.main',
          fontWeight: 600,
          fontSize: 14,
        }}
      >
        {icon}
        {children}
      </Stack>
    </Box>
  )
}
