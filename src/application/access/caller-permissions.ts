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
  attempts: 'audit',
  correlation: 'audit',
  pause: 'operate',
  resume: 'operate',
  pauses: 'read',
  lanes: { list: 'read', get: 'read', set: 'operate', listAt: 'audit' },
  limits: { list: 'read', get: 'read', set: 'operate', delete: 'operate' },
  workers: { list: 'read', missing: 'read' },
  live: 'read',
  stats: 'read',
  figures: { types: 'read', queues: 'read', causes: 'read', status: 'read' },
  troubleshooting: {
    list: 'read',
    listAt: 'audit',
    groups: 'read',
    explain: 'audit',
    ...ofOperators,
    rehearse: 'operate',
    rehearsable: 'operate',
    start: 'operate',
    dryRun: 'operate',
    action: 'operate',
    actions: 'operate',
    stop: 'operate',
    pause: 'operate',
    resume: 'operate',
  },
  search: { declared: 'read', declare: 'operate', drop: 'operate' },
  views: { list: 'read', get: 'read', set: 'read', delete: 'read' },
  causes: { list: 'read', note: 'operate', assign: 'operate', tag: 'operate', investigate: 'operate' },
  alerts: { list: 'operate', get: 'operate', set: 'operate', delete: 'operate', test: 'operate', sent: 'operate' },
  strangers: { list: 'operate', adopt: 'operate', drop: 'operate' },
  replies: { owed: 'read', undelivered: 'operate', deliverAgain: 'operate' },
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
