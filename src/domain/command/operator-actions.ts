import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { ActionOption, Dialog, OperatorAction } from './actions/action.ts'
import { careActions } from './actions/care-actions.ts'

export type { ActionOption, OperatorAction } from './actions/action.ts'

/** What each action needs besides who acts and when: the members of its intent. */
export interface ActionDetails {
  readonly retry: { readonly resetAttempts: boolean; readonly data?: Json; readonly reason?: string }
  readonly cancel: { readonly reason: string }
  readonly complete: { readonly resultData: Json; readonly reason?: string }
  readonly snooze: { readonly until: Instant; readonly reason?: string }
  readonly note: { readonly text: string }
  readonly assign: { readonly assignee: string | null }
  readonly tag: { readonly tags: readonly string[] }
  readonly endAttempt: { readonly reason: string }
}

const isNow: OperatorAction['done'] = ({ commandId, status }) => `Command ${commandId} is ${status}.`

/** What an operator can do with parked commands: with one, or with many at once. */
export const parkedActions = {
  retry: {
    intent: 'OperatorRetry',
    permission: 'operate',
    route: 'retryCommand',
    path: 'retry',
    summary: 'Send the original payload again, or an edited one',
    fills: 'command',
    canary: true,
    about: 'send parked commands again',
    done: ({ commandId, status, msgId }) => `Command ${commandId} is ${status} again, as message ${msgId}.`,
    options: {
      resetAttempts: {
        kind: 'boolean',
        usual: true,
        flag: '--keep-attempts',
        about: 'go on counting attempts instead of starting again at 1',
        label: 'Do not reset the attempt counter',
        hint: {
          one: 'By default it restarts at 0.',
          many: 'By default it restarts at 0.',
        },
      },
      data: {
        kind: 'json',
        single: true,
        flag: '--data <json>',
        about: 'an edited payload: JSON, @file or - for standard input (one command only)',
      },
      reason: { kind: 'text', flag: '--reason <text>', about: 'why; kept in the audit', label: 'Note for the audit' },
    },
    verb: 'Retry',
    past: 'Retried',
    intro: {
      one: 'The payload is sent again, as a new message with the same command id.',
      many: 'Each payload is sent again, as a new message with the same command id.',
    },
    toast: 'Sent again: it is pending now',
  },
  cancel: {
    intent: 'OperatorCancel',
    permission: 'operate',
    route: 'operatorCancel',
    path: 'cancel',
    summary: 'Cancel a parked command; the sender is told the reason',
    fills: 'reply',
    about: 'end parked commands and tell their senders why',
    done: isNow,
    options: {
      reason: {
        kind: 'text',
        required: true,
        flag: '--reason <text>',
        about: 'goes into the reply',
        label: 'Reason (required)',
      },
    },
    verb: 'Cancel',
    past: 'Canceled',
    intro: {
      one: 'It ends as canceled. This is final. The sender gets the reason in the reply.',
      many: 'They end as canceled. This is final. Each sender gets the reason in the reply.',
    },
    toast: 'Canceled; the sender is told the reason',
  },
  complete: {
    intent: 'OperatorComplete',
    permission: 'operate',
    route: 'operatorComplete',
    path: 'complete',
    summary: 'Complete a parked command by hand; the sender gets the result',
    fills: 'reply',
    about: 'declare parked commands done',
    done: isNow,
    options: {
      resultData: {
        kind: 'json',
        usual: null,
        flag: '--result <json>',
        about: 'goes into the reply: JSON, @file or - for standard input (default: null)',
        label: 'Result (JSON)',
      },
      reason: {
        kind: 'text',
        asked: true,
        flag: '--reason <text>',
        about: 'why; kept in the audit',
        label: 'Reason (required)',
      },
    },
    verb: 'Complete',
    past: 'Completed',
    intro: {
      one: 'It ends as completed by you. The sender gets this result in the reply.',
      many: 'They end as completed by you. Each sender gets this result in the reply.',
    },
    toast: 'Completed; the sender gets the result',
  },
  snooze: {
    intent: 'OperatorSnooze',
    permission: 'operate',
    route: 'snoozeCommand',
    path: 'snooze',
    summary:
      'Leave a parked command out of counts and alarms until an instant, at most a year ahead; it stays parked, and can be retried, canceled or completed before. Another instant replaces the first',
    fills: null,
    about: 'leave parked commands out of counts and alarms until a time',
    done: ({ commandId }) => `Command ${commandId} is snoozed; it stays parked.`,
    options: {
      until: {
        kind: 'instant',
        required: true,
        flag: '--until <time>',
        about: 'when it is back: an ISO 8601 time, or a time from now like 30m, 12h or 7d',
        label: 'Until (required)',
      },
      reason: {
        kind: 'text',
        flag: '--reason <text>',
        about: 'why; shown with the command',
        label: 'Reason',
      },
    },
    verb: 'Snooze',
    past: 'Snoozed',
    intro: {
      one: 'It stays in troubleshooting, and is left out of counts and alarms until then.',
      many: 'They stay in troubleshooting, and are left out of counts and alarms until then.',
    },
    toast: 'Snoozed: it counts again at the time you chose',
  },
  ...careActions,
} as const satisfies { readonly [A in ParkedAction]: OperatorAction<ActionDetails[A]> & Dialog }

/** All that operators do: the same, and what they do with a command that runs. */
export const operatorActions = {
  ...parkedActions,
  endAttempt: {
    intent: 'OperatorEndAttempt',
    permission: 'operate',
    route: 'endAttempt',
    path: 'end-attempt',
    summary:
      'End the attempt that runs now and park the command; its handler is told to stop, and its outcome does not count',
    fills: null,
    about: 'end the attempts of commands that are IN_PROGRESS, and park them',
    done: ({ commandId, status }) => `The attempt was ended: command ${commandId} is ${status}.`,
    options: {
      reason: {
        kind: 'text',
        required: true,
        flag: '--reason <text>',
        about: 'why; shown with the parked command',
      },
    },
  },
} as const satisfies { readonly [A in ActionName]: OperatorAction<ActionDetails[A]> }

/** What operators do to a command. */
export type ActionName = keyof ActionDetails
/** What operators do to many parked commands. */
export type ParkedAction = Exclude<ActionName, 'endAttempt'>

export const parkedActionNames = Object.keys(parkedActions) as readonly ParkedAction[]
export const actionNames = Object.keys(operatorActions) as readonly ActionName[]

/** An action as every surface reads it, whichever it is. */
export const actionNamed = (name: ActionName): OperatorAction => operatorActions[name]

/** Those that many commands can be given at once. */
export const bulkOptionsOf = (name: ParkedAction): ReturnType<typeof optionsOf> =>
  optionsOf(name).filter(([, { single }]) => !single)

/** Each option with its name. */
export const optionsOf = (name: ActionName): readonly (readonly [name: string, option: ActionOption])[] =>
  Object.entries<ActionOption>(operatorActions[name].options)
