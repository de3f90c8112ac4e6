/** The title of a role: those that come with the hub in the language of the page, others as they were named. */
import { useTranslation } from 'react-i18next'

export const BUILTIN_ROLES = ['admin', 'supervisor', 'agent', 'marketer', 'analyst', 'executive'] as const

export function useRoleTitle(): (role: { name: string; title?: string }) => string {
  const { t } = useTranslation('admin')
  return ({ name, title }) =>
    t(`role.builtin.${name as (typeof BUILTIN_ROLES)[number]}`, { defaultValue: title ?? name })
}
