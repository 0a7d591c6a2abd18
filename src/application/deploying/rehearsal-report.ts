import type { CutChange } from '../shared/cut-json.ts'
import { cutChanges, cutMessage } from '../shared/cut-json.ts'
import type { AttemptOutcome, FailureType } from './attempt-outcome.ts'
import { type Comparison, namesOf, type Verdict } from './compare-attempts.ts'
import { memberPattern, patternOf } from './fault-pattern.ts'

/** One of the commands that were found. */
export interface FoundCommand {
  readonly domain: string
  readonly commandType: string
  readonly commandId: string
}

/** How an attempt ended, as a report shows it: a result is only in the differences. */
export interface ShownOutcome {
  readonly outcome: 'SUCCESS' | FailureType
  readonly code: string | null
  readonly message: string | null
  /** The place in the user's code. */
  readonly frame: string | null
}

/** A command whose attempt would end otherwise. */
export interface ChangedCommand extends FoundCommand {
  readonly verdict: Exclude<Verdict, 'same'>
  readonly before: ShownOutcome
  readonly now: ShownOutcome
  readonly differences: readonly CutChange[]
  /** How many more differences there are; missing: none. */
  readonly differencesOmitted?: number
  readonly durationMs: number
}

/** Commands of a type that changed in the same way. A command with several differences counts for each. */
export interface ChangeGroup {
  readonly domain: string
  readonly commandType: string
  readonly verdict: Exclude<Verdict, 'same'>
  /** A path such as `result.items.*.price`, or the code of the error with its place or the paths of the payload. */
  readonly what: string
  readonly commands: number
  /** The first of them. */
  readonly commandId: string
}

/** One line for each command, for reports that name them all. */
export interface RehearsedCommand extends FoundCommand {
  /** Null: it was not rehearsed. */
  readonly verdict: Verdict | null
  readonly durationMs: number
}

export interface TypeReport extends Readonly<Record<Counted, number>> {
  readonly domain: string
  readonly commandType: string
  /** Why some were not rehearsed; null: all were. */
  readonly why: string | null
}

type Counted = 'same' | 'otherResult' | 'newlyFailing' | 'newlySucceeding' | 'notRehearsed'

const COUNTED: Readonly<Record<Verdict, Counted>> = {
  same: 'same',
  'other-result': 'otherResult',
  'newly-failing': 'newlyFailing',
  'newly-succeeding': 'newlySucceeding',
}

/** The most changed commands, and the most bytes of their differences, that a report shows whole. */
const MOST_CHANGED = 1_000
const MOST_BYTES = 16 * 1024 * 1024
/** The most differences of one command. */
const MOST_OF_ONE = 1_000
const MOST_GROUPS = 1_000

type Hide = <A>(value: A, place: Pick<FoundCommand, 'domain' | 'commandType'> | null) => A

/** Gathers what rehearsals have shown. Its memory does not grow with the differences. `hide` takes out what is declared sensitive. */
export const createReport = (hide: Hide) => {
  const commands: RehearsedCommand[] = []
  const changed: ChangedCommand[] = []
  const types = new Map<string, { -readonly [K in keyof TypeReport]: TypeReport[K] }>()
  const groups = new Map<string, { -readonly [K in keyof ChangeGroup]: ChangeGroup[K] }>()
  let groupsOmitted = 0
  let room = MOST_BYTES

  const typeOf = ({ domain, commandType }: Omit<FoundCommand, 'commandId'>) => {
    const key = `${domain} ${commandType}`
    const none = { same: 0, otherResult: 0, newlyFailing: 0, newlySucceeding: 0, notRehearsed: 0 }
    const own = types.get(key) ?? { domain, commandType, ...none, why: null }
    types.set(key, own)
    return own
  }

  const group = (command: FoundCommand, verdict: ChangedCommand['verdict'], what: string): void => {
    const { domain, commandType, commandId } = command
    const key = [domain, commandType, verdict, what].join(' ')
    const own = groups.get(key)
    if (own !== undefined) own.commands++
    else if (groups.size < MOST_GROUPS) groups.set(key, { domain, commandType, verdict, what, commands: 1, commandId })
    else groupsOmitted++
  }

  return {
    /** It was rehearsed. */
    add: (
      command: FoundCommand,
      { verdict, differences }: Comparison,
      before: AttemptOutcome,
      now: AttemptOutcome,
      durationMs: number,
    ): void => {
      const { domain, commandType, commandId } = command
      commands.push({ domain, commandType, commandId, verdict, durationMs })
      typeOf(command)[COUNTED[verdict]]++
      if (verdict === 'same') return
      for (const what of whatChanged(verdict, differences, before, now)) group(command, verdict, what)
      if (changed.length >= MOST_CHANGED || room < 0) return
      // what it sends is of other types
      const hidden = differences
        .slice(0, MOST_OF_ONE)
        .map(one => hide(one, one.path.startsWith('/sent') ? null : command))
      const { diff } = cutChanges(hidden)
      const omitted = differences.length - diff.length
      room -= Buffer.byteLength(JSON.stringify(diff))
      changed.push({
        domain,
        commandType,
        commandId,
        verdict,
        before: shown(before),
        now: shown(now),
        differences: diff,
        ...(omitted === 0 ? {} : { differencesOmitted: omitted }),
        durationMs,
      })
    },
    /** It was found, and could not be rehearsed. */
    skip: (command: FoundCommand, why: string): void => {
      const { domain, commandType, commandId } = command
      commands.push({ domain, commandType, commandId, verdict: null, durationMs: 0 })
      const type = typeOf(command)
      type.notRehearsed++
      type.why ??= why
    },
    /** The same for all commands of a type. */
    skipType: (type: Pick<FoundCommand, 'domain' | 'commandType'>, count: number, why: string): void => {
      const own = typeOf(type)
      own.notRehearsed += count
      own.why ??= why
    },
    commands: (): readonly RehearsedCommand[] => commands,
    result: () => {
      const all = [...types.values()].sort(byName)
      const sum = (name: Counted): number => all.reduce((total, type) => total + type[name], 0)
      const differing = sum('otherResult') + sum('newlyFailing') + sum('newlySucceeding')
      return {
        rehearsed: sum('same') + differing,
        same: sum('same'),
        otherResult: sum('otherResult'),
        newlyFailing: sum('newlyFailing'),
        newlySucceeding: sum('newlySucceeding'),
        notRehearsed: sum('notRehearsed'),
        types: all,
        groups: [...groups.values()].sort((a, b) => b.commands - a.commands),
        ...(groupsOmitted === 0 ? {} : { groupsOmitted }),
        changed,
        ...(differing === changed.length ? {} : { changedOmitted: differing - changed.length }),
      }
    },
  }
}

export type RehearsalReport = ReturnType<ReturnType<typeof createReport>['result']>

const byName = (a: TypeReport, b: TypeReport): number =>
  a.domain < b.domain || (a.domain === b.domain && a.commandType < b.commandType) ? -1 : 1

const shown = (outcome: AttemptOutcome): ShownOutcome =>
  outcome.kind === 'succeeded'
    ? { outcome: 'SUCCESS', code: null, message: null, frame: null }
    : {
        outcome: outcome.type,
        code: outcome.code,
        message: cutMessage(outcome.message),
        frame: outcome.frame ?? null,
      }

const whatChanged = (
  verdict: Verdict,
  differences: Comparison['differences'],
  before: AttemptOutcome,
  now: AttemptOutcome,
): readonly string[] => {
  if (verdict === 'newly-succeeding') return [failureText(before)]
  if (verdict === 'newly-failing' || now.kind === 'failed') return [failureText(now)]
  return [...new Set(differences.map(({ path }) => memberPattern(namesOf(path))))]
}

/** The message is no part of it: it often has an id or a time in it. That of a payload has the paths. */
const failureText = (outcome: AttemptOutcome): string => {
  if (outcome.kind === 'succeeded') return ''
  if (outcome.type === 'INVALID_PAYLOAD') {
    const faults = outcome.message.replace(/^the payload does not fit: /, '').split('; ')
    return `INVALID_PAYLOAD ${[...new Set(faults.map(patternOf))].join('; ')}`
  }
  return outcome.frame === undefined ? outcome.code : `${outcome.code} at ${outcome.frame}`
}
