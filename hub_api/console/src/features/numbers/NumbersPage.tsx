/** The pool of numbers: state, quality, limit, what waits and fails; paused and resumed by hand. */
import { Alert, Chip, LinearProgress, Stack, Typography } from '@mui/material'
import { useTranslation } from 'react-i18next'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { FormDialog } from '../../shared/admin/FormDialog'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { words } from '../../shared/admin/values'
import { dateTime, percent, phoneNumber } from '../../shared/format'
import { channelWords } from '../../shared/words'
import { errorsOf, type PoolNumber, usage, waiting } from './pool'

const STATE = {
  connected: 'success',
  limited: 'warning',
  paused: 'warning',
  restricted: 'error',
  offline: 'error',
  draining: 'info',
  removed: 'default',
} as const
const QUALITY = { green: 'success', yellow: 'warning', red: 'error' } as const

export default function NumbersPage() {
  const { t, i18n } = useTranslation('admin')
  const { t: common } = useTranslation()
  const changes = useMay('numbers:write')
  const deeds = useDeeds(['pool'])
  const { reading, rows } = usePages<PoolNumber>(['pool'], async (cursor, signal) => {
    const page = await data(api.GET('/api/v1/whatsapp/pool', { params: { query: { limit: 100, cursor } }, signal }))
    return { items: page.items as unknown as PoolNumber[], next_cursor: page.next_cursor }
  })
  const params = (one: PoolNumber) => ({ path: { number_id: one.id } })
  const level = <C extends Record<string, string>>(colours: C, key: string | null) =>
    (colours[(key ?? '').toLowerCase()] ?? 'default') as 'success' | 'warning' | 'error' | 'info' | 'default'
  return (
    <Page title={t('numbers.title')} subtitle={t('numbers.subtitle')}>
      <Listing
        label={t('numbers.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.display_phone_number}
        empty={t('numbers.none')}
        columns={[
          {
            label: t('numbers.number'),
            show: (one) => (
              <>
                <Typography variant="body2" sx={{ fontWeight: 600 }}>
                  {phoneNumber(one.display_phone_number)}
                </Typography>
                <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                  {[one.verified_name, one.account].filter(Boolean).join(' · ')}
                </Typography>
              </>
            ),
          },
          {
            label: t('numbers.state'),
            show: (one) => (
              <>
                <Chip
                  size="small"
                  color={level(STATE, one.state)}
                  label={t(`numbers.states.${one.state as 'paused'}`, { defaultValue: one.state })}
                />
                {one.state !== 'connected' && one.state_reason && (
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {one.state_reason}
                    {one.paused_until &&
                      ` (${t('numbers.until', { time: dateTime(one.paused_until, i18n.language) })})`}
                  </Typography>
                )}
              </>
            ),
          },
          {
            label: t('numbers.quality'),
            show: (one) => (
              <Chip
                size="small"
                variant="outlined"
                color={level(QUALITY, one.quality)}
                label={t(`numbers.qualities.${(one.quality ?? 'unknown').toLowerCase() as 'green'}`, {
                  defaultValue: one.quality ?? '–',
                })}
              />
            ),
          },
          { label: t('numbers.usage'), show: (one) => <Usage number={one} /> },
          {
            label: t('numbers.speed'),
            show: (one) =>
              [
                t('numbers.rate', { now: one.accepted_per_s, most: one.throughput_mps }),
                one.speed < 1 && t('numbers.slowed', { share: percent(one.speed, i18n.language) }),
              ]
                .filter(Boolean)
                .join(' '),
          },
          { label: t('numbers.waiting'), show: (one) => String(waiting(one)) },
          {
            label: t('numbers.errors'),
            show: (one) =>
              errorsOf(one).length === 0
                ? t('numbers.no_errors')
                : errorsOf(one).map((told) => (
                    <Alert key={told.code} severity="warning" sx={{ py: 0, mb: 0.5 }} title={told.advice ?? undefined}>
                      {told.count}× {told.code}: {channelWords(told.code, told.meaning, common)}
                    </Alert>
                  )),
          },
        ]}
        deeds={
          changes
            ? [
                {
                  label: t('numbers.pause'),
                  when: (one: PoolNumber) => one.state === 'connected' || one.state === 'limited',
                  run: (one: PoolNumber) =>
                    deeds.open(
                      <FormDialog
                        title={t('numbers.pause_of', { number: one.display_phone_number })}
                        text={t('numbers.pause_help')}
                        fields={[
                          { name: 'reason', label: t('numbers.reason'), required: true, maxLength: 500 },
                          {
                            name: 'hours',
                            label: t('numbers.hours'),
                            kind: 'number',
                            min: 1,
                            max: 720,
                            help: t('numbers.hours_help'),
                          },
                        ]}
                        confirm={t('numbers.pause')}
                        danger
                        onSubmit={async (values) => {
                          const until =
                            typeof values.hours === 'number'
                              ? new Date(Date.now() + values.hours * 3_600_000).toISOString()
                              : null
                          const body = { reason: words(values.reason) ?? '', until }
                          await data(
                            api.POST('/api/v1/whatsapp/numbers/{number_id}/pause', { params: params(one), body }),
                          )
                          await deeds.done(t('done'))
                        }}
                        onClose={deeds.close}
                      />,
                    ),
                },
                {
                  label: t('numbers.resume'),
                  when: (one: PoolNumber) => one.state === 'paused',
                  run: (one: PoolNumber) =>
                    void deeds.run(
                      data(api.POST('/api/v1/whatsapp/numbers/{number_id}/resume', { params: params(one) })),
                      t('done'),
                    ),
                },
                {
                  label: t('numbers.check'),
                  run: (one: PoolNumber) =>
                    void deeds.run(
                      data(api.POST('/api/v1/whatsapp/numbers/{number_id}/check', { params: params(one) })),
                      t('numbers.checked'),
                    ),
                },
              ]
            : []
        }
      />
      {deeds.shown}
    </Page>
  )
}

function Usage({ number }: { number: PoolNumber }) {
  const { t } = useTranslation('admin')
  const used = usage(number)
  if (used === null) return t('numbers.no_limit', { count: number.quota_used ?? 0 })
  return (
    <Stack sx={{ minWidth: 120, gap: 0.5 }}>
      <LinearProgress
        variant="determinate"
        value={Math.min(100, used * 100)}
        color={used > 0.9 ? 'error' : used > 0.7 ? 'warning' : 'primary'}
        aria-label={t('numbers.usage_of', { number: number.display_phone_number })}
        sx={{ height: 6, borderRadius: 3 }}
      />
      <Typography variant="caption">
        {t('numbers.used', { used: number.quota_used ?? 0, limit: number.messaging_limit })}
      </Typography>
    </Stack>
  )
}
