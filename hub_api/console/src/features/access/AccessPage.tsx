/** Who may enter and what he may do there: users, roles, keys of programs. */
import { useTranslation } from 'react-i18next'
import { PartsPage } from '../../shared/admin/PartsPage'
import { ConversionKeys } from './ConversionKeys'
import { Keys } from './Keys'
import { Roles } from './Roles'
import { Users } from './Users'

const PARTS = [
  { key: 'users', permission: 'users:read', Part: Users },
  { key: 'roles', permission: 'roles:read', Part: Roles },
  { key: 'keys', permission: 'keys:read', Part: Keys },
  { key: 'conversions', permission: 'keys:read', Part: ConversionKeys },
] as const

export default function AccessPage() {
  const { t } = useTranslation('admin')
  return <PartsPage title={t('access.title')} base="/access" parts={PARTS} labelOf={(key) => t(`access.${key}`)} />
}
