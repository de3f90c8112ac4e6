/** The keys of every namespace, so that a wrong one is a mistake of types. A feature adds its line here. */
import 'i18next'
import type admin from '../locales/pt-BR/admin.json'
import type audience from '../locales/pt-BR/audience.json'
import type audit from '../locales/pt-BR/audit.json'
import type boards from '../locales/pt-BR/boards.json'
import type campaigns from '../locales/pt-BR/campaigns.json'
import type common from '../locales/pt-BR/common.json'
import type desk from '../locales/pt-BR/desk.json'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: {
      admin: typeof admin
      audience: typeof audience
      audit: typeof audit
      boards: typeof boards
      campaigns: typeof campaigns
      common: typeof common
      desk: typeof desk
    }
  }
}
