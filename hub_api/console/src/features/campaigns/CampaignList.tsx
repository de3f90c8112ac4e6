/** Every campaign that one sees: where it stands, how far it has come, who made it, what may be done with it. */
import { Button, Chip, LinearProgress, MenuItem, Link as MuiLink, Stack, TextField, Typography } from '@mui/material'
import { Megaphone, Upload } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { api, data } from '../../api/client'
import { useMay } from '../../app/session'
import { Listing } from '../../shared/admin/Listing'
import { Page } from '../../shared/admin/Page'
import { useDeeds, usePages } from '../../shared/admin/useAdmin'
import { dateTime, percent } from '../../shared/format'
import type { Campaign } from './plan'
import { ResultsDialog } from './ResultsDialog'
import { StateOf } from './StateOf'
import { progress, STATES, type State, VERBS } from './states'
import { useDeedsOf } from './useDeedsOf'

export function CampaignList() {
  const { t, i18n } = useTranslation('campaigns')
  const writes = useMay('campaigns:write')
  const deeds = useDeeds(['campaigns'])
  const { take, may } = useDeedsOf(deeds)
  const [state, setState] = useState<State | ''>('')
  const [search, setSearch] = useState('')
  const name = useDeferredValue(search.trim())
  const { reading, rows } = usePages<Campaign>(['campaigns', state, name], (cursor, signal) => {
    const query = { limit: 50, cursor, ...(state ? { state } : {}), ...(name ? { name } : {}) }
    return data(api.GET('/api/v1/campaigns', { params: { query }, signal }))
  })
  return (
    <Page
      title={t('list.title')}
      subtitle={t('list.subtitle')}
      actions={
        writes && (
          <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
            <Button startIcon={<Upload size={18} />} onClick={() => deeds.open(<ResultsDialog deeds={deeds} />)}>
              {t('results.open')}
            </Button>
            <Button component={Link} href="/campaigns/new" variant="contained" startIcon={<Megaphone size={18} />}>
              {t('list.new')}
            </Button>
          </Stack>
        )
      }
    >
      <Stack direction="row" sx={{ gap: 1, mb: 2, flexWrap: 'wrap' }}>
        <TextField
          size="small"
          type="search"
          label={t('list.search')}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          slotProps={{ htmlInput: { maxLength: 120 } }}
        />
        <TextField
          id="campaign-state"
          select
          size="small"
          label={t('list.state')}
          value={state}
          onChange={(event) => setState(event.target.value as State | '')}
          sx={{ minWidth: 160 }}
        >
          <MenuItem value="">{t('list.any')}</MenuItem>
          {STATES.map((one) => (
            <MenuItem key={one} value={one}>
              {t(`state.${one}`)}
            </MenuItem>
          ))}
        </TextField>
      </Stack>
      <Listing
        label={t('list.title')}
        reading={reading}
        rows={rows}
        keyOf={(one) => one.id}
        nameOf={(one) => one.name}
        empty={t(state || name ? 'list.none_so' : 'list.none')}
        columns={[
          {
            label: t('list.name'),
            show: (one) => (
              <>
                <MuiLink component={Link} href={`/campaigns/${one.id}`} sx={{ fontWeight: 600 }}>
                  {one.name}
                </MuiLink>
                <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                  {[t(`schedule.kinds.${one.kind ?? 'once'}`), t(`goal.lanes.${one.lane ?? 'marketing'}`)].join(' · ')}
                </Typography>
              </>
            ),
          },
          { label: t('list.state'), show: (one) => <StateOf campaign={one} /> },
          { label: t('list.progress'), show: (one) => <Progress campaign={one} /> },
          {
            label: t('list.variants'),
            show: (one) => (
              <Stack direction="row" sx={{ gap: 0.5, flexWrap: 'wrap' }}>
                {one.variants.map((each) => (
                  <Chip
                    key={each.name}
                    size="small"
                    variant="outlined"
                    label={`${each.template_name ? each.name.toUpperCase() : t('people.states.control')} ${percent(each.share ?? 1, i18n.language)}`}
                  />
                ))}
              </Stack>
            ),
          },
          {
            label: t('list.made_by'),
            show: (one) => (
              <>
                {one.created_by_name ?? t('list.by_program')}
                <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                  {dateTime(one.created_at, i18n.language)}
                </Typography>
              </>
            ),
          },
        ]}
        deeds={VERBS.map((verb) => ({
          label: t(`verb.${verb}`),
          when: (one: Campaign) => may(one).includes(verb),
          run: (one: Campaign) => take(one, verb),
        }))}
      />
      {deeds.shown}
    </Page>
  )
}

function Progress({ campaign }: { campaign: Campaign }) {
  const { t, i18n } = useTranslation('campaigns')
  const share = progress(campaign)
  if (share === null) return '–'
  const number = (value: number) => value.toLocaleString(i18n.language)
  return (
    <Stack sx={{ minWidth: 110, gap: 0.5 }}>
      <LinearProgress
        variant="determinate"
        value={share * 100}
        aria-label={t('list.progress_of', { name: campaign.name })}
        sx={{ height: 6, borderRadius: 3 }}
      />
      <Typography variant="caption">
        {t('list.turns', { turns: number(campaign.turns ?? 0), eligible: number(campaign.eligible ?? 0) })}
      </Typography>
    </Stack>
  )
}
