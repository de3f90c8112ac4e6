/** Files that were chosen and not sent yet, and those that cannot go, with the reason. */
import { Alert, Box, Chip, Stack } from '@mui/material'
import { FileText, Image, Music, Video } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { judge, type Kind } from '../../../api/upload'
import { size } from '../../../shared/format'

const ICONS = { image: Image, sticker: Image, video: Video, audio: Music, document: FileText } as const
const MOST = 10

interface Refused {
  name: string
  why: 'type' | 'size' | 'empty' | 'many'
  most: number
}

export interface AttachedFiles {
  files: { file: File; kind: Kind }[]
  refused: Refused[]
  add: (files: File[]) => void
  remove: (file: File) => void
  clear: () => void
}

export function useAttached(): AttachedFiles {
  const [files, setFiles] = useState<AttachedFiles['files']>([])
  const [refused, setRefused] = useState<Refused[]>([])
  const add = useCallback((chosen: File[]) => {
    const taken: AttachedFiles['files'] = []
    const not: Refused[] = []
    for (const file of chosen) {
      const verdict = judge(file)
      if (file.size === 0) not.push({ name: file.name, why: 'empty', most: 0 })
      else if ('refused' in verdict) not.push({ name: file.name, why: verdict.refused, most: verdict.most })
      else taken.push({ file, kind: verdict.kind })
    }
    setFiles((before) => {
      const all = [...before, ...taken]
      if (all.length > MOST) not.push({ name: all[MOST]?.file.name ?? '', why: 'many', most: MOST })
      return all.slice(0, MOST)
    })
    setRefused(not)
  }, [])
  const remove = useCallback((file: File) => setFiles((before) => before.filter((one) => one.file !== file)), [])
  const clear = useCallback(() => {
    setFiles([])
    setRefused([])
  }, [])
  return { files, refused, add, remove, clear }
}

export function Attached({ files, refused, remove }: AttachedFiles) {
  const { t: d, i18n } = useTranslation('desk')
  return (
    <Box aria-live="polite">
      {refused.map((one) => (
        <Alert key={one.name + one.why} severity="warning" sx={{ mb: 0.75 }}>
          {d(`attach.${one.why}`, {
            name: one.name,
            most: one.why === 'many' ? one.most : size(one.most, i18n.language),
          })}
        </Alert>
      ))}
      {files.length > 0 && (
        <Stack
          direction="row"
          component="ul"
          sx={{ gap: 0.75, flexWrap: 'wrap', p: 0, m: 0, mb: 0.75, listStyle: 'none' }}
        >
          {files.map(({ file, kind }) => {
            const Icon = ICONS[kind]
            return (
              <li key={`${file.name}${file.lastModified}${file.size}`}>
                <Chip
                  icon={<Icon size={16} aria-hidden />}
                  label={`${file.name} · ${size(file.size, i18n.language)}`}
                  onDelete={() => remove(file)}
                  sx={{ maxWidth: 320 }}
                />
              </li>
            )
          })}
        </Stack>
      )}
    </Box>
  )
}
