/** What a permission lets somebody do, in the language of the page; one that is newer than the words goes by its own name. */
import { useTranslation } from 'react-i18next'

export function usePermissionName(): (permission: string) => string {
  const { t } = useTranslation('admin')
  return (permission) =>
    permission === '*'
      ? t('key.everything')
      : t(`permission.${permission.replace(':', '_')}` as 'permission.account_use', { defaultValue: permission })
}
