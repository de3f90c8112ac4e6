/** What the organisation decides: what is set in the environment, what has a page of its own, rates and texts. */
import { useTranslation } from 'react-i18next'
import { PartsPage } from '../../shared/admin/PartsPage'
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
  return (
    <PartsPage
      title={t('settings.title')}
      subtitle={t('settings.subtitle')}
      base="/settings"
      parts={PARTS}
      labelOf={(key) => t(`settings.${key}`)}
    />
  )
}
