/** Who is on the lists of a campaign: each with his state, why he was left out, and the way to why he received what he did. */
import { Chip, Link as MuiLink, Stack, Typography } from '@mui/material'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../../api/client'
import type { components } from '../../../api/schema'
import { Listing } from '../../../shared/admin/Listing'
import { Person } from '../../../shared/admin/Person'
import { usePages } from '../../../shared/admin/useAdmin'
import { dateTime } from '../../../shared/format'
import type { Campaign } from '../plan'
import { reasonKey } from '../reasons'
import { Choice } from '../wizard/fields'

type Recipient = components['schemas']['Recipient']
type State = Recipient['state']
const STATES: State[] = ['pending', 'queued', 'sent', 'failed', 'unknown', 'excluded', 'cancelled', 'control']

export function People({ campaign }: { campaign: Campaign }) {
  const { t, i18n } = useTranslation('campaigns')
  const [state, setState] = useState<State | 'any'>('any')
  const [variant, setVariant] = useState('any')
  const { reading, rows } = usePages<Recipient>(
    ['campaign', campaign.id, 'people', state, variant],
    (cursor, signal) => {
      const query = {
        limit: 50,
        cursor,
        ...(state === 'any' ? {} : { state }),
        ...(variant === 'any' ? {} : { variant }),
      }
      const params = { path: { campaign_id: campaign.id }, query }
      return data(api.GET('/api/v1/campaigns/{campaign_id}/recipients', { params, signal }))
    },
  )
  const name = (one: Recipient) => one.name ?? t('people.somebody', { id: one.customer_id.slice(-6) })
  return (
    <>
      <Stack direction="row" sx={{ gap: 1, mb: 2, flexWrap: 'wrap', '& > *': { minWidth: 160 } }}>
        <Choice
          label={t('people.state')}
          value={state}
          options={[
            { value: 'any' as const, label: t('list.any') },
            ...STATES.map((value) => ({ value, label: t(`people.states.${value}`) })),
          ]}
          onChange={setState}
        />
        <Choice
          label={t('funnel.variant')}
          value={variant}
          options={[
            { value: 'any', label: t('list.any') },
            ...campaign.variants.map((one) => ({ value: one.name, label: one.name.toUpperCase() })),
          ]}
          onChange={setVariant}
        />
      </Stack>
      <Listing
        label={t('part.people')}
        reading={reading}
        rows={rows}
        keyOf={(one) => `${one.customer_id} ${one.run_id} ${one.step}`}
        nameOf={name}
        empty={t('people.none')}
        columns={[
          {
            label: t('people.customer'),
            show: (one) => <Person name={name(one)} phone={one.phone} />,
          },
          { label: t('funnel.variant'), show: (one) => one.variant.toUpperCase() || '–' },
          {
            label: t('people.state'),
            show: (one) => (
              <>
                <Chip size="small" variant="outlined" label={t(`people.states.${one.state}`)} />
                {one.excluded_for && (
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {t(`reason.${reasonKey(one.excluded_for)}`, { defaultValue: one.excluded_for })}
                  </Typography>
                )}
                {one.error_code !== null && (
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {t('people.code', { code: one.error_code })}
                  </Typography>
                )}
              </>
            ),
          },
          {
            label: t('people.when'),
            show: (one) => {
              const at = one.queued_at ?? one.send_after
              return at ? dateTime(at, i18n.language) : '–'
            },
          },
          {
            label: t('people.why'),
            show: (one) =>
              one.message_id ? (
                <MuiLink
                  component={Link}
                  href={`/campaigns/message/${one.message_id}`}
                  aria-label={t('people.why_of', { name: name(one) })}
                >
                  {t('people.why_link')}
                </MuiLink>
              ) : (
                '–'
              ),
          },
        ]}
      />
    </>
  )
}
