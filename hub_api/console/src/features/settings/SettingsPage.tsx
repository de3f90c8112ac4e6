/** What the organisation decides: what is set in the environment, what has a page of its own, rates and texts. */
import { useTranslation } from 'react-i18next'
import { useParams } from 'wouter'
import { useMe } from '../../app/session'
import { Page } from '../../shared/admin/Page'
import { Baselines } from './Baselines'
import { ConsentTexts } from './ConsentTexts'
import { InForce } from './InForce'
import { Rates } from './Rates'
import { Returns } from './Returns'

const PARTS = [
  { key: 'general', permission: 'settings:read', Part: InForce },
  { key: 'texts', permission: 'privacy:read', Part: ConsentTexts },
  { key: 'rates', permission: 'analytics:read', Part: Rates },
  { key: 'returns', permission: 'analytics:read', Part: Returns },
  { key: 'baselines', permission: 'analytics:read', Part: Baselines },
] as const

export default function SettingsPage() {
  const { t } = useTranslation('admin')
  const { permissions } = useMe()
  const { part } = useParams<{ part?: string }>()
  const open = PARTS.filter((one) => permissions.includes(one.permission))
  const here = open.find((one) => one.key === part) ?? open[0]
  if (!here) return null
  return (
    <Page
      title={t('settings.title')}
      subtitle={t('settings.subtitle')}
      parts={open.map((one) => ({ key: one.key, label: t(`settings.${one.key}`) }))}
      base="/settings"
      part={here.key}
    >
      <here.Part />
    </Page>
  )
}
