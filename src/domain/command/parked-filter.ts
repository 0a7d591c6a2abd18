/** Which parked commands are meant; all conditions hold together, and none means every one. */
export interface ParkedFilter {
  readonly domain?: string
  readonly commandType?: string
  readonly errorCode?: string
  /** Moved to troubleshooting at or after. */
  readonly from?: string
  /** Moved to troubleshooting before. */
  readonly to?: string
  /** Part of an id, an error code or an error message, whatever the case. */
  readonly q?: string
  /** Whether an operator has snoozed them for now. Without it: all. */
  readonly snoozed?: boolean
}

/** How a condition is read, from a program, a request or the command line. */
export interface Condition {
  readonly kind: 'domain' | 'commandType' | 'text' | 'instant' | 'boolean'
  /** An action on many commands takes it, too. */
  readonly ofActions: boolean
  /** Of the command line, where it has the condition. */
  readonly flag?: string
  readonly about?: string
}

const conditions = {
  domain: { kind: 'domain', ofActions: true, flag: '--domain <domain>', about: 'of this domain' },
  commandType: { kind: 'commandType', ofActions: true, flag: '--type <type>', about: 'of this command type' },
  errorCode: { kind: 'text', ofActions: true, flag: '--error-code <code>', about: 'whose last error has this code' },
  from: { kind: 'instant', ofActions: true, flag: '--from <time>', about: 'parked at or after this ISO 8601 time' },
  to: { kind: 'instant', ofActions: true, flag: '--to <time>', about: 'parked before this ISO 8601 time' },
  q: { kind: 'text', ofActions: false },
  snoozed: {
    kind: 'boolean',
    ofActions: false,
    flag: '--snoozed <true|false>',
    about: 'that are snoozed now, or that are not (default: both)',
  },
} as const satisfies { readonly [Name in keyof Required<ParkedFilter>]: Condition }

export type ConditionName = keyof typeof conditions

/** The conditions of a list of parked commands, each with its name. */
export const parkedConditions: readonly (readonly [name: ConditionName, condition: Condition])[] = Object.entries(
  conditions,
) as never

export type ActionCondition = 'domain' | 'commandType' | 'errorCode' | 'from' | 'to'

/** Those of an action on many. */
export const actionConditions = parkedConditions.filter(([, { ofActions }]) => ofActions)
