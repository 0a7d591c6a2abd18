import { type ActionName, actionNames } from '../../domain/command/operator-actions.ts'
import type { Permission, Scope } from '../ports/authorization.ts'
import type { Need } from './permits.ts'

type Criteria = { readonly filter: { readonly domain?: string } } | { readonly ids: number }

/** What is looked up where the arguments of a call do not name its domain. */
interface Looking {
  readonly identity: { readonly subject: string }
  readonly scope: Scope
  readonly bus: {
    readonly pauses: (scope: Scope) => Promise<readonly { readonly pauseId: string; readonly domain: string }[]>
    readonly schedules: {
      readonly get: (name: string, scope: Scope) => Promise<{ readonly domain: string } | null>
    }
    readonly actions: {
      readonly get: (
        id: string,
        scope: { readonly tenantId: string | null },
      ) => Promise<{ readonly action: ActionName; readonly operator: string; readonly criteria: Criteria } | null>
    }
  }
}

/** What a call needs by its arguments, which are not checked yet: what is not a name of a domain stands for all. */
export type NeedsOf = (
  args: readonly unknown[],
  permission: Permission,
  looking: Looking,
) => readonly Need[] | Promise<readonly Need[]>

interface Needs {
  readonly [name: string]: NeedsOf | Needs
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const domainIn = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The domain is the first argument. */
const named: NeedsOf = ([domain], permission) => [{ name: permission, domain: domainIn(domain) }]

/** The domain is a member of the argument at `at`; a list without it is of all domains. */
const filtered =
  (at = 0): NeedsOf =>
  (args, permission) => [{ name: permission, domain: domainIn(member(args[at], 'domain')) }]

/** A payload of the operator's own needs `edit`, too. */
const acting =
  (name: ActionName): NeedsOf =>
  ([domain, , options]) => {
    const where = domainIn(domain)
    const edited = name === 'retry' && member(options, 'data') !== undefined
    return [{ name, domain: where }, ...(edited ? [{ name: 'edit', domain: where } as const] : [])]
  }

/** The action in each domain that it can reach: that of the filter, and those of the named commands. */
const onMany: NeedsOf = ([options]) => {
  const name = actionNames.find(one => one === member(options, 'action')) ?? 'operate'
  const [filter, ids] = [member(options, 'filter'), member(options, 'ids')]
  const domains = new Set(Array.isArray(ids) ? ids.map(id => domainIn(member(id, 'domain'))) : [])
  if (filter !== undefined || domains.size === 0) domains.add(domainIn(member(filter, 'domain')))
  return [...domains].map(domain => ({ name, domain }))
}

/** Of an action that was started: nothing more for the one who started it, else `read`, or the action to stop it. */
const started =
  (stops: boolean): NeedsOf =>
  async ([id], _, { bus, scope, identity }) => {
    const found = await bus.actions.get(id as string, { tenantId: scope.tenantId ?? null })
    if (found?.operator === identity.subject) return []
    const criteria = found?.criteria
    const domain = criteria !== undefined && 'filter' in criteria ? domainIn(criteria.filter.domain) : null
    return [{ name: stops ? (found?.action ?? 'operate') : 'read', domain, isLookedUp: true }]
  }

const ofSchedule: NeedsOf = async ([name], permission, { bus, scope }) => {
  const found = await bus.schedules.get(name as string, scope)
  return [{ name: permission, domain: found?.domain ?? null, isLookedUp: true }]
}

/** A schedule that moves to another domain needs both. */
const settingSchedule: NeedsOf = async ([name, given], permission, { bus, scope }) => {
  const found = await bus.schedules.get(name as string, scope)
  const before: Need | null = found && { name: permission, domain: found.domain, isLookedUp: true }
  return [{ name: permission, domain: domainIn(member(given, 'domain')) }, ...(before === null ? [] : [before])]
}

/** For the calls that are of one domain, or may be; every other call needs its permission in all domains. */
export const callNeeds: Needs = {
  send: named,
  sendBatch: named,
  request: named,
  cancel: named,
  reschedule: named,
  getCommand: named,
  queryCommands: filtered(),
  auditTrail: named,
  history: named,
  attempts: named,
  pause: filtered(),
  resume: async ([id], permission, { bus, scope }) => {
    const found = (await bus.pauses(scope)).find(({ pauseId }) => pauseId === id)
    return [{ name: permission, domain: found?.domain ?? null, isLookedUp: true }]
  },
  pauses: filtered(),
  lanes: { list: filtered(), get: named, set: named, listAt: filtered(1) },
  limits: { list: filtered(), get: named, set: named, delete: named },
  workers: { list: filtered(), missing: filtered() },
  live: ([options], permission) => [
    { name: permission, domain: domainIn(member(member(options, 'filter'), 'domain')) },
  ],
  troubleshooting: {
    list: filtered(),
    listAt: filtered(),
    groups: filtered(),
    ...Object.fromEntries(actionNames.map(name => [name, acting(name)])),
    explain: filtered(),
    rehearse: acting('retry'),
    start: onMany,
    dryRun: onMany,
    action: started(false),
    actions: () => [{ name: 'read', domain: null }],
    stop: started(true),
    pause: started(true),
    resume: started(true),
  },
  strangers: { list: filtered(), adopt: filtered(), drop: filtered() },
  causes: { list: filtered(), note: filtered(), assign: filtered(), tag: filtered(), investigate: filtered() },
  figures: { types: filtered() },
  replies: { owed: filtered(), undelivered: filtered(), deliverAgain: filtered() },
  schedules: {
    list: filtered(),
    get: ofSchedule,
    set: settingSchedule,
    delete: ofSchedule,
    pause: ofSchedule,
    resume: ofSchedule,
    run: ofSchedule,
  },
}

/** The needs of those calls that stand in one group, or nothing for a name that is not there. */
export const needsNamed = (needs: NeedsOf | Needs | undefined, name: string): NeedsOf | Needs | undefined =>
  typeof needs === 'object' && Object.hasOwn(needs, name) ? needs[name] : undefined
