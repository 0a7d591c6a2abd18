import { type ActionName, actionNamed, actionNames } from '../../domain/command/operator-actions.ts'
import type { Permission } from '../ports/authorization.ts'

const ofOperators = Object.fromEntries(actionNames.map(name => [name, actionNamed(name).permission])) as {
  readonly [A in ActionName]: 'operate'
}

/** The permission that each call of a caller needs; grouped as the calls are. */
export const callerPermissions = {
  send: 'send',
  sendBatch: 'send',
  request: 'send',
  cancel: 'send',
  reschedule: 'reschedule',
  getCommand: 'read',
  queryCommands: 'read',
  auditTrail: 'audit',
  history: 'audit',
  correlation: 'audit',
  pause: 'operate',
  resume: 'operate',
  pauses: 'read',
  lanes: { list: 'read', get: 'read', set: 'operate', listAt: 'audit' },
  limits: { list: 'read', get: 'read', set: 'operate', delete: 'operate' },
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
    pause: 'operate',
    resume: 'operate',
  },
  strangers: { list: 'operate', adopt: 'operate', drop: 'operate' },
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
  schedules: {
    list: 'read',
    get: 'read',
    set: 'operate',
    delete: 'operate',
    pause: 'operate',
    resume: 'operate',
    run: 'operate',
  },
  credits: { balance: 'runs', entries: 'runs', grant: 'grant' },
} as const satisfies Declared

interface Declared {
  readonly [name: string]: Permission | Declared
}
