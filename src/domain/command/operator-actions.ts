import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'

/** What each action needs besides who acts and when: the members of its intent. */
export interface ActionDetails {
  readonly retry: { readonly resetAttempts: boolean; readonly data?: Json; readonly reason?: string }
  readonly cancel: { readonly reason: string }
  readonly complete: { readonly resultData: Json; readonly reason?: string }
  readonly snooze: { readonly until: Instant; readonly reason?: string }
  readonly endAttempt: { readonly reason: string }
}

/** How an option is read, whether it comes from a program, a request, the command line or the console. */
export interface ActionOption {
  /** An instant lies ahead, by a year at the most. */
  readonly kind: 'text' | 'json' | 'boolean' | 'instant'
  /** Without it the action is refused. */
  readonly required?: true
  /** Console and command line require it of people; programs may leave it out. */
  readonly asked?: true
  /** What stands for an option that is left out. */
  readonly usual?: Json
  /** Only of an action on one command. */
  readonly single?: true
  /** Of the command line. That of a boolean turns its usual value around. */
  readonly flag: string
  readonly about: string
  /** Of the field in the console's dialog; without one the dialog does not ask for it. */
  readonly label?: string
  readonly hint?: Words
}

/** About one command, or about several. */
interface Words {
  readonly one: string
  readonly many: string
}

export interface OperatorAction<Details = unknown> {
  readonly intent: string
  readonly permission: 'operate'
  /** Of the HTTP API: its operation id, and the last part of its path. */
  readonly route: string
  readonly path: string
  readonly summary: string
  /** The queue that gets a message by it: the command's own, or the one its sender waits at. */
  readonly fills: 'command' | 'reply' | null
  /** Of many commands, some may be done first, and the rest when those have completed. */
  readonly canary?: true
  /** Of the command line: what it does, and what it says when it is done. */
  readonly about: string
  readonly done: (done: {
    readonly commandId: string
    readonly status: string
    readonly msgId?: string | null
  }) => string
  readonly options: { readonly [Name in keyof Details]-?: ActionOption }
}

/** The words of the console, for what its dialog can do to one command or to many. */
interface Dialog {
  readonly verb: string
  readonly past: string
  /** What will become of them. */
  readonly intro: Words
  readonly toast: string
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
        label: 'Keep the count of attempts',
        hint: {
          one: 'Otherwise it gets all its attempts again.',
          many: 'Otherwise they get all their attempts again.',
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
      one: 'It ends as canceled, for good. The sender gets the reason in the reply.',
      many: 'They end as canceled, for good. Each sender gets the reason in the reply.',
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

export type ActionName = keyof ActionDetails
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
