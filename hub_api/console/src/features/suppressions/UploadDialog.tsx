/** A suppression list as a CSV file, and what became of each of its lines. */
import { TextField } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { formOf, LoadDialog } from '../../shared/admin/LoadDialog'
import type { useDeeds } from '../../shared/admin/useAdmin'

export function UploadDialog({ list, deeds }: { list: string; deeds: ReturnType<typeof useDeeds> }) {
  const { t } = useTranslation('audience')
  const [name, setName] = useState(list)
  return (
    <LoadDialog
      title={t('upload.title')}
      help={t('upload.help')}
      send={(file) => data(api.POST('/api/v1/suppressions/import', formOf(file, { list: name.trim() })))}
      fault={(field, message) => t(`upload_fault.${field as 'phone'}`, { defaultValue: message })}
      deeds={deeds}
    >
      <TextField
        id="upload-list"
        label={t('suppressions.list')}
        value={name}
        required
        helperText={t('suppressions.list_help')}
        slotProps={{ htmlInput: { pattern: '[a-z0-9][a-z0-9_-]{0,39}' } }}
        onChange={(event) => setName(event.target.value)}
      />
    </LoadDialog>
  )
}
