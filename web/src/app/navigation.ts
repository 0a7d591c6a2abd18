import {
  Activity,
  BellRing,
  CalendarClock,
  ChartColumn,
  Coins,
  Inbox,
  Layers,
  LifeBuoy,
  ListOrdered,
  type LucideIcon,
  ScrollText,
  Server,
  Sparkles,
  Workflow,
} from 'lucide-react'
import { type Permission, usePermissions } from '../api/session.ts'
import { useFrom, usePath } from './router.tsx'

export interface Place {
  readonly href: string
  readonly label: string
  readonly icon: LucideIcon
  /** Pressing `g` and then this key goes there. */
  readonly key: string
  readonly permission: Permission
}

export const TROUBLESHOOTING = '/troubleshooting'

const places: readonly Place[] = [
  { href: '/', label: 'Overview', icon: Activity, key: 'o', permission: 'read' },
  { href: '/commands', label: 'Commands', icon: ListOrdered, key: 'c', permission: 'read' },
  { href: TROUBLESHOOTING, label: 'Troubleshooting', icon: LifeBuoy, key: 't', permission: 'read' },
  { href: '/workers', label: 'Workers', icon: Server, key: 'w', permission: 'read' },
  { href: '/types', label: 'Types', icon: ChartColumn, key: 'y', permission: 'read' },
  { href: '/queues', label: 'Queues', icon: Inbox, key: 'q', permission: 'read' },
  { href: '/lanes', label: 'Lanes', icon: Layers, key: 'l', permission: 'read' },
  { href: '/schedules', label: 'Schedules', icon: CalendarClock, key: 's', permission: 'read' },
  { href: '/alerts', label: 'Alerts', icon: BellRing, key: 'n', permission: 'operate' },
  { href: '/operations', label: 'Operations', icon: Sparkles, key: 'p', permission: 'operations' },
  { href: '/runs', label: 'Workflow runs', icon: Workflow, key: 'r', permission: 'runs' },
  { href: '/credits', label: 'Credits', icon: Coins, key: 'm', permission: 'runs' },
  { href: '/audit', label: 'Audit', icon: ScrollText, key: 'a', permission: 'audit' },
]

/** The places that the token allows. */
export const usePlaces = (): readonly Place[] => {
  const may = usePermissions()
  return places.filter(({ permission }) => may(permission))
}

/** The address whose place is marked: a command that is opened from troubleshooting belongs there. */
export const useMarkedPath = (): string => {
  const [path, from] = [usePath(), useFrom()]
  return path.startsWith('/commands/') && from !== null && isAt(from.split('?')[0] ?? '', TROUBLESHOOTING)
    ? TROUBLESHOOTING
    : path
}

export const isAt = (path: string, href: string): boolean =>
  href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`)
