/** The pages beside the inbox, in the order of the navigation. A page brings its part of the code and its words when it is opened. */
import {
  AtSign,
  Ban,
  BellRing,
  CalendarDays,
  ChartColumn,
  Filter,
  Headset,
  Inbox,
  LayoutTemplate,
  type LucideIcon,
  Megaphone,
  MonitorPlay,
  ScrollText,
  Search,
  Settings,
  ShieldCheck,
  Smartphone,
  UsersRound,
  Workflow,
} from 'lucide-react'
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type common from '../locales/pt-BR/common.json'
import { withWords } from './i18n'

export interface PageEntry {
  /** Its address for the router, below the console: `/search`, `/users/:id?`. */
  path: string
  /** Where its place in the navigation leads to. */
  to: string
  label: keyof (typeof common)['nav']
  icon: LucideIcon
  /** Who may open it. The hub decides; this only spares doors that would be shut. */
  permission: string
  Part: LazyExoticComponent<ComponentType>
}

export const PAGES: PageEntry[] = [
  {
    path: '/search',
    to: '/search',
    label: 'search',
    icon: Search,
    permission: 'conversations:read',
    Part: lazy(() => withWords('desk', import('../features/search/SearchPage'))),
  },
  {
    path: '/mentions',
    to: '/mentions',
    label: 'mentions',
    icon: AtSign,
    permission: 'conversations:read',
    Part: lazy(() => withWords('desk', import('../features/mentions/MentionsPage'))),
  },
  {
    path: '/supervisor',
    to: '/supervisor',
    label: 'supervisor',
    icon: Headset,
    permission: 'agents:read',
    Part: lazy(() => withWords('boards', import('../features/supervisor/SupervisorPage'))),
  },
  {
    path: '/campaigns/:id?/:part?/:step?',
    to: '/campaigns',
    label: 'campaigns',
    icon: Megaphone,
    permission: 'campaigns:read',
    Part: lazy(() =>
      withWords('admin', withWords('desk', withWords('campaigns', import('../features/campaigns/CampaignsPage')))),
    ),
  },
  {
    path: '/segments/:id?/:part?',
    to: '/segments',
    label: 'segments',
    icon: Filter,
    permission: 'campaigns:read',
    Part: lazy(() => withWords('admin', withWords('audience', import('../features/segments/SegmentsPage')))),
  },
  {
    path: '/suppressions/:list?',
    to: '/suppressions',
    label: 'suppressions',
    icon: Ban,
    permission: 'campaigns:read',
    Part: lazy(() => withWords('admin', withWords('audience', import('../features/suppressions/SuppressionsPage')))),
  },
  {
    path: '/calendar',
    to: '/calendar',
    label: 'calendar',
    icon: CalendarDays,
    permission: 'campaigns:read',
    Part: lazy(() => withWords('admin', withWords('audience', import('../features/calendar/CalendarPage')))),
  },
  {
    path: '/wallboard',
    to: '/wallboard',
    label: 'wallboard',
    icon: MonitorPlay,
    permission: 'analytics:read',
    Part: lazy(() => withWords('boards', import('../features/wallboard/WallboardPage'))),
  },
  {
    path: '/dashboards/:slug?',
    to: '/dashboards',
    label: 'dashboards',
    icon: ChartColumn,
    permission: 'analytics:read',
    Part: lazy(() => withWords('admin', import('../features/dashboards/DashboardsPage'))),
  },
  {
    path: '/reports/:part?',
    to: '/reports',
    label: 'reports',
    icon: BellRing,
    permission: 'analytics:read',
    Part: lazy(() => withWords('admin', import('../features/reports/ReportsPage'))),
  },
  {
    path: '/numbers',
    to: '/numbers',
    label: 'numbers',
    icon: Smartphone,
    permission: 'numbers:read',
    Part: lazy(() => withWords('admin', import('../features/numbers/NumbersPage'))),
  },
  {
    path: '/templates',
    to: '/templates',
    label: 'templates',
    icon: LayoutTemplate,
    permission: 'templates:write',
    Part: lazy(() => withWords('admin', import('../features/templates/TemplatesPage'))),
  },
  {
    path: '/service/:part?',
    to: '/service',
    label: 'service',
    icon: Workflow,
    permission: 'queues:write',
    Part: lazy(() => withWords('admin', import('../features/service/ServicePage'))),
  },
  {
    path: '/access/:part?',
    to: '/access',
    label: 'access',
    icon: UsersRound,
    permission: 'users:read',
    Part: lazy(() => withWords('admin', import('../features/access/AccessPage'))),
  },
  {
    path: '/audit',
    to: '/audit',
    label: 'audit',
    icon: ScrollText,
    permission: 'audit:read',
    Part: lazy(() => withWords('admin', withWords('audit', import('../features/audit/AuditPage')))),
  },
  {
    path: '/privacy/:part?',
    to: '/privacy',
    label: 'privacy',
    icon: ShieldCheck,
    permission: 'privacy:read',
    Part: lazy(() => withWords('admin', import('../features/privacy/PrivacyPage'))),
  },
  {
    path: '/settings/:part?',
    to: '/settings',
    label: 'settings',
    icon: Settings,
    permission: 'settings:read',
    Part: lazy(() => withWords('admin', import('../features/settings/SettingsPage'))),
  },
]

/** Every place of the navigation: the inbox, whose lists have addresses of their own, and the pages. */
export const PLACES: Omit<PageEntry, 'Part' | 'path'>[] = [
  { to: '/mine', label: 'inbox', icon: Inbox, permission: 'conversations:read' },
  ...PAGES,
]
