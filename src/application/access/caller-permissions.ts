import { type ActionName, actionNamed, actionNames } from '../../domain/command/operator-actions.ts'
import type { Permission } from '../ports/authorization.ts'

const ofOperators = Object.fromEntries(actionNames.map(name => [name, actionNamed(name).permission])) as {
  readonly [A in ActionName]: 'operate'
}

/** The permission that each call of a caller needs; grouped as the calls are. */
export const callerPermissions = {
  send: 'send',
  sendBatch: 'send',
  cancel: 'send',
  getCommand: 'read',
  queryCommands: 'read',
  auditTrail: 'audit',
  history: 'audit',
  correlation: 'audit',
  live: 'read',
  stats: 'read',
  troubleshooting: {
    list: 'read',
    listAt: 'audit',
    groups: 'read',
    ...ofOperators,
    rehearse: 'operate',
    start: 'operate',
    dryRun: 'operate',
    action: 'operate',
    actions: 'operate',
    stop: 'operate',
  },
  replies: { undelivered: 'operate', deliverAgain: 'operate' },
  operations: { start: 'operations', get: 'operations', list: 'operations', retry: 'operations' },
  runs: {
    createTemplate: 'runs',
    archiveTemplate: 'runs',
    listTemplates: 'runs',
    initiate: 'runs',
    get: 'runs',
    history: 'audit',
    list: 'runs',
    cancel: 'runs',
    previewRetry: 'runs',
    retryFailed: 'runs',
  },
  credits: { balance: 'runs', entries: 'runs', grant: 'grant' },
} as const satisfies Declared

interface Declared {
  readonly [name: string]: Permission | Declared
}

type Call = (...args: never[]) => Promise<unknown>

/** A permission for every call: one without is a type error. */
type PermissionsOf<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends Call ? Permission : PermissionsOf<Calls[Name]>
}

/** The same calls, each of which asks for its permission before anything else happens. */
export const permitted = <Calls extends object>(
  calls: Calls,
  permissions: PermissionsOf<Calls>,
  demand: (permission: Permission) => void,
): Calls => {
  const guarded = Object.entries<Call | object>(calls as never).map(([name, call]) => {
    const needed = permissions[name as keyof Calls] as Permission
    if (typeof call !== 'function') return [name, permitted(call, needed as never, demand)]
    const asking = async (...args: Parameters<Call>): Promise<unknown> => {
      demand(needed)
      return call(...args)
    }
    return [name, asking]
  })
  return Object.fromEntries(guarded) as Calls
}
