/** What the hub says before anything is sent: whom it reaches and whom not and why, cost, end, what is in the way, how it looks. */
import { Alert, AlertTitle, Box, Button, List, ListItem, ListItemText, Paper, Stack, Typography } from '@mui/material'
import { RefreshCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { components } from '../../../api/schema'
import { date, dateTime, money } from '../../../shared/format'
import { Failed, Loading } from '../../../shared/States'
import { reasonKey } from '../reasons'
import { Group } from './fields'
import { SamplePhones } from './Samples'
import type { StepProps } from './steps'
import { useCheck } from './useCheck'

type Checked = components['schemas']['hub_api__campaigns__plans__schemas__Checked']

export function ReviewStep({ kept, whole }: { kept: StepProps['kept']; whole: boolean }) {
  const { t } = useTranslation('campaigns')
  const checked = useCheck(kept)
  if (!whole || kept === null) return <Alert severity="warning">{t('review.not_whole')}</Alert>
  if (checked.isPending) {
    return (
      <Stack sx={{ alignItems: 'center' }}>
        <Loading />
        <Typography role="status">{t('review.looking')}</Typography>
      </Stack>
    )
  }
  if (checked.isError) return <Failed error={checked.error} onRetry={() => void checked.refetch()} />
  return (
    <Stack sx={{ gap: 3 }}>
      <Problems checked={checked.data} />
      <Figures checked={checked.data} />
      <Excluded checked={checked.data} />
      <Group title={t('samples.title')}>
        <SamplePhones kept={kept} />
      </Group>
      <Button
        startIcon={<RefreshCw size={16} />}
        sx={{ alignSelf: 'flex-start' }}
        loading={checked.isFetching}
        onClick={() => void checked.refetch()}
      >
        {t('review.again')}
      </Button>
    </Stack>
  )
}

function Problems({ checked }: { checked: Checked }) {
  const { t } = useTranslation('campaigns')
  if (checked.problems.length === 0) return <Alert severity="success">{t('review.free')}</Alert>
  return (
    <Stack sx={{ gap: 1 }}>
      {checked.problems.map((one) => {
        const code = one.code as 'nobody'
        return (
          <Alert key={one.code + one.message} severity={one.blocks ? 'error' : 'warning'}>
            <AlertTitle>{t(`problem.${code}.title`, { defaultValue: one.message })}</AlertTitle>
            {one.message}
            <Typography variant="body2" sx={{ mt: 0.5, fontWeight: 600 }}>
              {t(`problem.${code}.todo`, { defaultValue: '' })}
            </Typography>
          </Alert>
        )
      })}
    </Stack>
  )
}

function Figures({ checked }: { checked: Checked }) {
  const { t, i18n } = useTranslation('campaigns')
  const number = (value: number) => value.toLocaleString(i18n.language)
  const { forecast } = checked
  const cost =
    checked.cost_micros === null
      ? t('review.no_price')
      : money(checked.cost_micros / 1e6, checked.cost_currency ?? 'USD', i18n.language)
  return (
    <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: 'repeat(auto-fit, minmax(min(200px, 100%), 1fr))' }}>
      <Tile name={t('review.eligible')} value={number(checked.eligible)}>
        {t('review.of_members', { number: number(checked.members) })}
        {checked.looked_at < checked.members && ` · ${t('review.sampled', { number: number(checked.looked_at) })}`}
      </Tile>
      <Tile name={t('review.cost')} value={cost} />
      <Tile name={t('review.end')} value={forecast.ends_at ? dateTime(forecast.ends_at, i18n.language) : '–'}>
        {forecast.begins_at && t('review.begins', { at: dateTime(forecast.begins_at, i18n.language) })}
      </Tile>
      <Tile
        name={t('review.quota')}
        value={forecast.quota_left === null ? t('review.no_limit') : number(forecast.quota_left)}
      >
        {t('review.rate', { rate: number(forecast.rate_per_s) })}
        {forecast.left_over > 0 && ` · ${t('review.left_over', { number: number(forecast.left_over) })}`}
      </Tile>
      {Object.keys(forecast.by_day).length > 1 && (
        <Tile name={t('review.by_day')} value="">
          {Object.entries(forecast.by_day).map(([day, count]) => (
            <Box key={day}>{`${date(day, i18n.language)}: ${number(count)}`}</Box>
          ))}
        </Tile>
      )}
      {checked.as_of && (
        <Tile name={t('review.as_of')} value={date(checked.as_of, i18n.language)}>
          {checked.asset_version &&
            t('review.version', { version: checked.asset_version.split(':').at(-1)?.slice(0, 8) })}
        </Tile>
      )}
    </Box>
  )
}

export function Tile({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <Paper variant="outlined" role="group" aria-label={name} sx={{ p: 1.5, minWidth: 0, overflowWrap: 'anywhere' }}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {name}
      </Typography>
      {value && <Typography sx={{ fontSize: 22, fontWeight: 700 }}>{value}</Typography>}
      {children && (
        <Typography component="div" variant="caption" sx={{ color: 'text.secondary' }}>
          {children}
        </Typography>
      )}
    </Paper>
  )
}

function Excluded({ checked }: { checked: Checked }) {
  const { t, i18n } = useTranslation('campaigns')
  const reasons = Object.entries(checked.excluded).sort(([, a], [, b]) => b - a)
  return (
    <Group title={t('review.excluded')} help={reasons.length ? undefined : t('review.nobody_excluded')}>
      {reasons.length > 0 && (
        <List dense disablePadding>
          {reasons.map(([reason, count]) => (
            <ListItem key={reason} disableGutters divider>
              <ListItemText
                primary={t(`reason.${reasonKey(reason)}`, { defaultValue: reason })}
                secondary={t(`reason_help.${reasonKey(reason)}`, { defaultValue: '' })}
              />
              <Typography sx={{ fontWeight: 600 }}>{count.toLocaleString(i18n.language)}</Typography>
            </ListItem>
          ))}
        </List>
      )}
    </Group>
  )
}
