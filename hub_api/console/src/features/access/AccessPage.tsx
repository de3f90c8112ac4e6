/** Who may enter and what he may do there: users, roles, keys of programs. */
import { useTranslation } from 'react-i18next'
import { useParams } from 'wouter'
import { useMe } from '../../app/session'
import { Page } from '../../shared/admin/Page'
import { Keys } from './Keys'
import { Roles } from './Roles'
import { Users } from './Users'

const PARTS = [
  { key: 'users', permission: 'users:read', Part: Users },
  { key: 'roles', permission: 'roles:read', Part: Roles },
  { key: 'keys', permission: 'keys:read', Part: Keys },
] as const

export default function AccessPage() {
  const { t } = useTranslation('admin')
  const { permissions } = useMe()
  const { part } = useParams<{ part?: string }>()
  const open = PARTS.filter((one) => permissions.includes(one.permission))
  const here = open.find((one) => one.key === part) ?? open[0]
  if (!here) return null
  return (
    <Page
      title={t('access.title')}
      parts={open.map((one) => ({ key: one.key, label: t(`access.${one.key}`) }))}
      base="/access"
      part={here.key}
    >
      <here.Part />
    </Page>
  )
}
