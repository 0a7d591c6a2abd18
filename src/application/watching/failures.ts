import type { CauseCourse, TypeCourse } from '../ports/reading/figures.ts'
import { type Course, courseOf, type Trend } from './course.ts'
import type { Clock, ProblemKind, StatusFacts, StatusProblem } from './problems.ts'

/** Fewer failures within 15 minutes are no problem yet. */
const FEWEST = 3
/** A share of attempts that fail with one code; others are retried, and that is what retries are for. */
const SHARE = 0.2
const MINUTE_MS = 60_000
/** Failures are over after so long without one, and so many times as long as between two of them, once their type succeeds again. */
const OVER_MS = 2 * MINUTE_MS
const OVER_GAPS = 3
const MOST_TYPES_NAMED = 2

const number = new Intl.NumberFormat('en')

type FailureKind = Exclude<ProblemKind, 'noWorker' | 'unreadQueue' | 'figuresLate'>

/** A problem for each domain and error code that fails now. */
export const failuresOf = ({ at, causes, types }: StatusFacts, time: Clock): readonly StatusProblem[] => {
  const groups = new Map<string, CauseCourse[]>()
  for (const cause of causes) {
    if (!failsStill(at, cause, types)) continue
    const key = JSON.stringify([cause.domain, cause.errorCode])
    groups.set(key, [...(groups.get(key) ?? []), cause])
  }
  return [...groups.values()].flatMap(group => problemOf(at, group, types, time))
}

const problemOf = (
  at: string,
  group: readonly CauseCourse[],
  types: readonly TypeCourse[] | null,
  time: Clock,
): readonly StatusProblem[] => {
  const { domain, errorCode } = group[0] as CauseCourse
  const course = courseOf(at, group)
  const names = [...new Set(group.map(({ commandType }) => commandType))].toSorted()
  const isNew = group.every(cause => cause.isNew)
  const state = stateOf(at, course, group, names, types?.filter(type => type.domain === domain) ?? null, isNew)
  if (state === null) return []
  const { kind, since } = state
  const { last10: count, trend } = course
  const commandType = names.length === 1 ? (names[0] as string) : null
  const sentence = clauseOf({ kind, domain, names, errorCode, isNew, since: time(since), count, trend })
  return [{ kind, domain, commandType, errorCode, queue: null, since, count, trend, sentence }]
}

const lastOf = (minutes: readonly number[], count: number): number =>
  minutes.slice(-count).reduce((sum, n) => sum + n, 0)

/** Whether a cause failed lately, and its type has not gone on to succeed without it. */
const failsStill = (at: string, cause: CauseCourse, types: readonly TypeCourse[] | null): boolean => {
  const recent = cause.minutes.slice(-15)
  const count = lastOf(recent, 15)
  if (count === 0) return false
  const success = successOf(types ?? [], cause.domain, [cause.commandType])
  if (success <= Date.parse(cause.last)) return true
  const apart = count === 1 ? 0 : ((recent.findLastIndex(failed) - recent.findIndex(failed)) * MINUTE_MS) / (count - 1)
  return Date.parse(at) - Date.parse(cause.last) < Math.max(OVER_MS, OVER_GAPS * apart)
}

const failed = (count: number): boolean => count > 0

/** When commands of these types last succeeded; 0: not within seven days. */
const successOf = (types: readonly TypeCourse[], domain: string, names: readonly string[]): number =>
  Math.max(
    0,
    ...types.flatMap(({ lastSuccessAt, ...type }) =>
      lastSuccessAt !== null && type.domain === domain && names.includes(type.commandType)
        ? [Date.parse(lastSuccessAt)]
        : [],
    ),
  )

const stateOf = (
  at: string,
  { last15, trend, since }: Course,
  group: readonly CauseCourse[],
  names: readonly string[],
  ofDomain: readonly TypeCourse[] | null,
  isNew: boolean,
): { readonly kind: FailureKind; readonly since: string } | null => {
  if (last15 < FEWEST) return null
  if (ofDomain === null) return { kind: isNew ? 'newError' : 'failing', since }
  const domain = group[0]?.domain ?? ''
  const success = successOf(ofDomain, domain, names)
  if (failuresAfter(at, group, success) >= FEWEST) {
    const from = new Date(Math.max(Date.parse(since), success)).toISOString()
    const others = ofDomain.map(({ commandType }) => commandType).filter(name => !names.includes(name))
    return { kind: successOf(ofDomain, domain, others) > Date.parse(from) ? 'typeFails' : 'allFail', since: from }
  }
  if (isNew) return { kind: 'newError', since }
  const ended = ofDomain
    .filter(({ commandType }) => names.includes(commandType))
    .reduce((sum, { completed, failures }) => sum + completed + failures, 0)
  return last15 >= SHARE * ended || trend === 'rises' ? { kind: 'failing', since } : null
}

/** Failures in the minutes after the one of the last success. */
const failuresAfter = (at: string, group: readonly CauseCourse[], success: number): number => {
  const minutes = Math.floor(Date.parse(at) / MINUTE_MS) - Math.floor(success / MINUTE_MS)
  return minutes <= 0 ? 0 : group.reduce((sum, cause) => sum + lastOf(cause.minutes, minutes), 0)
}

interface Clause {
  readonly kind: FailureKind
  readonly domain: string
  readonly names: readonly string[]
  readonly errorCode: string
  readonly isNew: boolean
  readonly since: string
  readonly count: number
  readonly trend: Trend
}

const clauseOf = ({ kind, domain, names, errorCode, isNew, since, count, trend }: Clause): string => {
  const code = errorCode || 'an error without a code'
  const where = names.length === 1 ? `${names[0]} of ${domain}` : domain
  const many = `${number.format(count)} in 10 min, ${trend}`
  const marked = isNew ? `${code}, which is new` : code
  switch (kind) {
    case 'allFail':
      return `nothing succeeds in ${where} since ${since}: ${marked} (${many})`
    case 'typeFails':
      return `${everyOf(names)} of ${domain} fails since ${since}: ${marked} (${many})`
    case 'newError':
      return `${code} in ${where} is new since ${since} (${many})`
    default:
      return `${code} in ${where} since ${since} (${many})`
  }
}

/** As in `every Charge and Refund`, or `every command of 5 types`. */
const everyOf = (names: readonly string[]): string =>
  names.length > MOST_TYPES_NAMED ? `every command of ${names.length} types` : `every ${names.join(' and ')}`
