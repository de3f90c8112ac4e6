/** Ways to the settings that have pages, and those of the environment as they are in force. */
import { Box, Chip, Paper, Typography } from '@mui/material'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import type { components } from '../../api/schema'
import { useMe } from '../../app/session'
import { Failed, Loading } from '../../shared/States'

type Setting = components['schemas']['SettingShown']

const ELSEWHERE = [
  { key: 'queues', to: '/service/queues', permission: 'queues:write' },
  { key: 'teams', to: '/service/teams', permission: 'teams:read' },
  { key: 'sla', to: '/service/sla', permission: 'queues:write' },
  { key: 'canned', to: '/service/canned', permission: 'queues:write' },
  { key: 'macros', to: '/service/macros', permission: 'queues:write' },
  { key: 'dispositions', to: '/service/dispositions', permission: 'queues:write' },
  { key: 'sites', to: '/service/sites', permission: 'settings:write' },
  { key: 'retention', to: '/privacy/retention', permission: 'privacy:read' },
  { key: 'roles', to: '/access/roles', permission: 'users:read' },
] as const

export function InForce() {
  const { t } = useTranslation('admin')
  const { permissions } = useMe()
  const asked = useQuery({
    queryKey: ['settings'],
    queryFn: async ({ signal }) => (await data(api.GET('/api/v1/settings', { signal }))).items,
  })
  return (
    <>
      <Typography component="h3" variant="h6">
        {t('settings.elsewhere')}
      </Typography>
      <Box component="ul" sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, p: 0, mt: 1, mb: 3, listStyle: 'none' }}>
        {ELSEWHERE.filter((one) => permissions.includes(one.permission)).map((one) => (
          <li key={one.key}>
            <Chip component={Link} href={one.to} clickable variant="outlined" label={t(`settings.places.${one.key}`)} />
          </li>
        ))}
      </Box>
      <Typography component="h3" variant="h6">
        {t('settings.environment')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
        {t('settings.environment_help')}
      </Typography>
      {asked.isPending ? (
        <Loading />
      ) : asked.isError ? (
        <Failed error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        [...new Set(asked.data.map((one) => one.group))].map((group) => (
          <Group key={group} name={group} rows={asked.data.filter((one) => one.group === group)} />
        ))
      )}
    </>
  )
}

function Group({ name, rows }: { name: string; rows: Setting[] }) {
  const { t } = useTranslation('admin')
  const title = t(`settings.groups.${name as 'service'}`, { defaultValue: name })
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2, mb: 2 }}>
      <Typography component="h4" sx={{ fontWeight: 700, mb: 1 }}>
        {title}
      </Typography>
      <Box component="dl" sx={{ m: 0, display: 'grid', gap: 1.5, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' } }}>
        {rows.map((one) => (
          <Box key={one.name} sx={{ minWidth: 0 }}>
            <Typography component="dt" variant="caption" sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }}>
              {one.name}
            </Typography>
            <Typography component="dd" sx={{ m: 0, fontWeight: 600, overflowWrap: 'anywhere' }}>
              {shown(one, t('yes'), t('no'), t('settings.unset'))}
              {one.is_default && (
                <Typography component="span" variant="caption" sx={{ color: 'text.secondary', ml: 1 }}>
                  {t('settings.default')}
                </Typography>
              )}
            </Typography>
            <Typography component="dd" variant="body2" sx={{ m: 0, color: 'text.secondary' }}>
              {t(`setting.${one.name as 'HUB_TIMEZONE'}`, { defaultValue: one.description })}
            </Typography>
          </Box>
        ))}
      </Box>
    </Paper>
  )
}

function shown({ value }: Setting, yes: string, no: string, unset: string): string {
  if (value === '') return unset
  return value === 'yes' ? yes : value === 'no' ? no : value
}
