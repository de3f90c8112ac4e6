/** Files of a message. The address of one is asked for when it comes into sight; it is signed and ends after a while. */
import { Box, Button, CircularProgress, Link, Stack, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { FileText, FileX, Mic } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { atHub } from '../../../api/address'
import { api, data } from '../../../api/client'
import type { MessageFile } from '../../../api/types'
import { useMay } from '../../../app/session'
import { size } from '../../../shared/format'
import { FormattedText } from '../FormattedText'

const STATES = ['pending', 'scanning', 'infected', 'failed', 'expired', 'erased'] as const

export function MediaFiles({
  files,
  caption,
  isVoice,
}: {
  files: MessageFile[]
  caption: string | null
  isVoice: boolean
}) {
  return (
    <Stack sx={{ gap: 0.5 }}>
      {files.map((file) => (
        <File key={file.id} file={file} isVoice={isVoice} />
      ))}
      {caption && <FormattedText text={caption} />}
    </Stack>
  )
}

function File({ file, isVoice }: { file: MessageFile; isVoice: boolean }) {
  const { t } = useTranslation()
  const may = useMay('media:read')
  const state = STATES.find((one) => one === file.state)
  if (state || !may) {
    return (
      <Stack direction="row" sx={{ gap: 1, alignItems: 'center', color: 'text.secondary' }}>
        {state === 'pending' || state === 'scanning' ? (
          <CircularProgress size={16} aria-hidden />
        ) : (
          <FileX size={18} aria-hidden />
        )}
        <Typography variant="body2">
          {t(state ? `file.${state}` : 'file.not_allowed', { name: file.filename ?? t(kindOf(file)) })}
        </Typography>
      </Stack>
    )
  }
  return <Stored file={file} isVoice={isVoice} />
}

function Stored({ file, isVoice }: { file: MessageFile; isVoice: boolean }) {
  const { t, i18n } = useTranslation()
  const link = useQuery({
    queryKey: ['media-link', file.id],
    queryFn: () => data(api.POST('/api/v1/media/{media_id}/link', { params: { path: { media_id: file.id } } })),
    // A little before it ends another one is asked for.
    staleTime: (query) =>
      query.state.data ? Math.max(0, Date.parse(query.state.data.expires_at) - Date.now() - 30_000) : 0,
  })
  if (link.isError) {
    return (
      <Button size="small" onClick={() => void link.refetch()}>
        {t('file.retry')}
      </Button>
    )
  }
  const url = link.data && atHub(link.data.url)
  const name = file.filename ?? t(kindOf(file))
  switch (file.kind) {
    case 'image':
    case 'sticker':
      return (
        <Box sx={{ minHeight: 80 }}>
          {url && (
            <Link href={url} target="_blank" rel="noopener" aria-label={t('file.open', { name })}>
              <Box
                component="img"
                src={url}
                alt={name}
                sx={{
                  display: 'block',
                  maxWidth: '100%',
                  maxHeight: file.kind === 'sticker' ? 140 : 320,
                  borderRadius: 1,
                }}
              />
            </Link>
          )}
        </Box>
      )
    case 'video':
      return (
        <Box sx={{ minHeight: 120 }}>
          {url && (
            <Box
              component="video"
              controls
              preload="metadata"
              src={url}
              aria-label={name}
              sx={{ maxWidth: '100%', maxHeight: 320, borderRadius: 1 }}
            />
          )}
        </Box>
      )
    case 'audio':
      return (
        <Stack direction="row" sx={{ gap: 1, alignItems: 'center', minHeight: 54 }}>
          {isVoice && <Mic size={18} role="img" aria-label={t('file.voice')} />}
          {url && (
            <Box component="audio" controls preload="metadata" src={url} aria-label={name} sx={{ maxWidth: '100%' }} />
          )}
        </Stack>
      )
    default:
      return (
        <Stack direction="row" sx={{ gap: 1, alignItems: 'center' }}>
          <FileText size={22} aria-hidden />
          <Box>
            {url ? (
              <Link href={`${url}&download=true`} download>
                {name}
              </Link>
            ) : (
              name
            )}
            {file.size_bytes !== null && (
              <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                {size(file.size_bytes, i18n.language)}
              </Typography>
            )}
          </Box>
        </Stack>
      )
  }
}

const KINDS = ['image', 'video', 'audio', 'document', 'sticker'] as const

function kindOf(file: MessageFile): `file.kind_${(typeof KINDS)[number]}` {
  const kind = KINDS.find((one) => one === file.kind) ?? 'document'
  return `file.kind_${kind}`
}
