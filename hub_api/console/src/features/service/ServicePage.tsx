/** How service is organised: queues with their hours, teams, promises, and what agents have at hand. */
import { useTranslation } from 'react-i18next'
import { PartsPage } from '../../shared/admin/PartsPage'
import { CannedReplies } from './CannedReplies'
import { Dispositions } from './Dispositions'
import { Macros } from './Macros'
import { Policies } from './Policies'
import { Queues } from './Queues'
import { Sites } from './Sites'
import { Teams } from './Teams'

const PARTS = [
  { key: 'queues', permission: 'queues:write', Part: Queues },
  { key: 'teams', permission: 'teams:read', Part: Teams },
  { key: 'sla', permission: 'queues:write', Part: Policies },
  { key: 'canned', permission: 'queues:write', Part: CannedReplies },
  { key: 'macros', permission: 'queues:write', Part: Macros },
  { key: 'dispositions', permission: 'queues:write', Part: Dispositions },
  { key: 'sites', permission: 'settings:write', Part: Sites },
] as const

export default function ServicePage() {
  const { t } = useTranslation('admin')
  return <PartsPage title={t('service.title')} base="/service" parts={PARTS} labelOf={(key) => t(`service.${key}`)} />
}
