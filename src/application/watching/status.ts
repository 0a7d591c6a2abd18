import { type Unhandled, unhandledPart } from '../../domain/flow/unhandled.ts'
import type { CauseCourse, QueueFigures, TypeCourse } from '../ports/reading/figures.ts'
import { courseOf, type Trend } from './course.ts'

/** What the state of the bus is read from. */
export interface StatusFacts {
  /** The moment, ISO 8601. */
  readonly at: string
  readonly noWorkers: readonly Unhandled[]
  readonly causes: readonly CauseCourse[]
  /** Null: not known. */
  readonly types: readonly TypeCourse[] | null
  readonly queues: readonly Pick<QueueFigures, 'queue' | 'kind' | 'depth' | 'unreadSeconds'>[]
  /** Commands in troubleshooting, without snoozed ones. */
  readonly parked: number
  readonly behindSeconds: number | null
}

export const problemKinds = [
  'noWorker',
  'allFail',
  'typeFails',
  'newError',
  'failing',
  'unreadQueue',
  'figuresLate',
] as const
/**
 * `noWorker`: no worker reads the queue of a domain. `allFail`: nothing of a domain succeeds, as when what it calls is down.
 * `typeFails`: nothing of one type succeeds, while others of its domain do. `newError`: an error code that was not seen before, as
 * after a deployment. `failing`: many attempts fail with a code, but not all. `unreadQueue`: nobody reads a queue of replies.
 * `figuresLate`: counting is behind, so that there may be more.
 */
export type ProblemKind = (typeof problemKinds)[number]

export interface StatusProblem {
  readonly kind: ProblemKind
  readonly domain: string | null
  readonly commandType: string | null
  readonly errorCode: string | null
  readonly queue: string | null
  readonly since: string
  /** Of commands or messages that wait, or attempts that failed in the last ten minutes. */
  readonly count: number
  readonly trend: Trend | null
  /** One clause, such as `no worker for inventory since 13:02 (7 wait)`. */
  readonly sentence: string
}

export interface Status {
  readonly at: string
  /** What is broken, since when, how much, and whether it gets worse. */
  readonly sentence: string
  /** The worst first. */
  readonly problems: readonly StatusProblem[]
}

/** Fewer failures within 15 minutes are no problem yet. */
const FEWEST = 3
/** A share of attempts that fail with one code; others are retried, and that is what retries are for. */
const SHARE = 0.2
const UNREAD_SECONDS = 600
const LATE_SECONDS = 120
const MOST_NAMED = 3

const number = new Intl.NumberFormat('en')

/** What is broken, in one sentence. `timeZone` is that of the reader, and has to be a valid one. */
export const statusOf = (facts: StatusFacts, timeZone: string): Status => {
  const time = clockOf(facts.at, timeZone)
  const problems = [
    ...facts.noWorkers.map(noWorker(time)),
    ...failuresOf(facts, time),
    ...facts.queues.flatMap(unread(facts.at, time)),
    ...late(facts, time),
  ].toSorted((a, b) => problemKinds.indexOf(a.kind) - problemKinds.indexOf(b.kind) || b.count - a.count)
  return { at: facts.at, sentence: sentenceOf(problems, facts), problems }
}

const sentenceOf = (problems: readonly StatusProblem[], { parked }: StatusFacts): string => {
  if (problems.length === 0) {
    return parked === 0
      ? 'All is well.'
      : `Nothing fails now; ${counted(parked, 'command')} in troubleshooting ${parked === 1 ? 'waits' : 'wait'} for a decision.`
  }
  const named = problems.slice(0, MOST_NAMED).map(({ sentence }) => sentence)
  const more = problems.length - named.length
  return `${counted(problems.length, 'problem')}: ${[...named, ...(more > 0 ? [`${more} more`] : [])].join('; ')}.`
}

const counted = (count: number, what: string): string => `${number.format(count)} ${what}${count === 1 ? '' : 's'}`

type Clock = (instant: string) => string

/** The time of day, with the date if that is another day. */
const clockOf = (now: string, timeZone: string): Clock => {
  const day = new Intl.DateTimeFormat('en', { timeZone, month: 'short', day: 'numeric' })
  const time = new Intl.DateTimeFormat('en', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const today = day.format(new Date(now))
  return instant => {
    const at = new Date(instant)
    return day.format(at) === today ? time.format(at) : `${day.format(at)}, ${time.format(at)}`
  }
}

const nowhere = { domain: null, commandType: null, errorCode: null, queue: null, trend: null } as const

const noWorker =
  (time: Clock) =>
  ({ domain, commandType, pending, since }: Unhandled): StatusProblem => ({
    ...nowhere,
    kind: 'noWorker',
    domain,
    commandType,
    since,
    count: pending,
    sentence: `no worker for ${unhandledPart({ domain, commandType })} since ${time(since)} (${number.format(pending)} wait)`,
  })

const unread =
  (now: string, time: Clock) =>
  ({ queue, kind, depth, unreadSeconds }: StatusFacts['queues'][number]): readonly StatusProblem[] => {
    if (kind === 'commands' || unreadSeconds === null || unreadSeconds < UNREAD_SECONDS) return []
    const since = new Date(Date.parse(now) - unreadSeconds * 1_000).toISOString()
    const sentence = `${queue}: ${number.format(depth)} waiting, not read since ${time(since)}`
    return [{ ...nowhere, kind: 'unreadQueue', queue, since, count: depth, sentence }]
  }

const late = ({ at, behindSeconds }: StatusFacts, time: Clock): readonly StatusProblem[] => {
  if (behindSeconds !== null && behindSeconds < LATE_SECONDS) return []
  const since = new Date(Date.parse(at) - (behindSeconds ?? 0) * 1_000).toISOString()
  const sentence =
    behindSeconds === null
      ? 'no process counts figures, so failures are not seen here'
      : `figures end at ${time(since)}, so later failures are not seen yet`
  return [{ ...nowhere, kind: 'figuresLate', since, count: 0, sentence }]
}

/** A problem for each domain and error code that fails now. */
const failuresOf = ({ at, causes, types }: StatusFacts, time: Clock): readonly StatusProblem[] => {
  const groups = new Map<string, CauseCourse[]>()
  for (const cause of causes) {
    const key = JSON.stringify([cause.domain, cause.errorCode])
    groups.set(key, [...(groups.get(key) ?? []), cause])
  }
  return [...groups.values()].flatMap(group => {
    const { domain, errorCode } = group[0] as CauseCourse
    const course = courseOf(at, group)
    const ofTypes = new Set(
      group.filter(({ minutes }) => lastOf(minutes, 15) > 0).map(({ commandType }) => commandType),
    )
    const ofDomain = types?.filter(type => type.domain === domain) ?? null
    const kind = kindOf(course, group, ofTypes, ofDomain)
    if (kind === null) return []
    const commandType = ofTypes.size === 1 ? ([...ofTypes][0] as string) : null
    const facts = {
      ...nowhere,
      kind,
      domain,
      commandType,
      errorCode,
      since: course.since,
      count: course.last10,
      trend: course.trend,
    }
    return [{ ...facts, sentence: clauseOf(facts, time(course.since)) }]
  })
}

const lastOf = (minutes: readonly number[], count: number): number =>
  minutes.slice(-count).reduce((sum, n) => sum + n, 0)

const kindOf = (
  { last15, trend }: ReturnType<typeof courseOf>,
  group: readonly CauseCourse[],
  ofTypes: ReadonlySet<string>,
  ofDomain: readonly TypeCourse[] | null,
): Exclude<ProblemKind, 'noWorker' | 'unreadQueue' | 'figuresLate'> | null => {
  if (last15 < FEWEST) return null
  if (group.every(({ isNew }) => isNew)) return 'newError'
  if (ofDomain === null) return 'failing'
  const own = ofDomain.filter(({ commandType }) => ofTypes.has(commandType))
  const ended = own.reduce((sum, { completed, failures }) => sum + completed + failures, 0)
  const succeeds = (some: readonly TypeCourse[]): boolean => some.some(({ completed }) => completed > 0)
  if (!succeeds(own)) return succeeds(ofDomain) && ofTypes.size === 1 ? 'typeFails' : 'allFail'
  return last15 >= SHARE * ended || trend === 'rises' ? 'failing' : null
}

const clauseOf = (
  { kind, domain, commandType, errorCode, count, trend }: Omit<StatusProblem, 'sentence'>,
  since: string,
): string => {
  const code = errorCode || 'an error without a code'
  const where = commandType === null ? `${domain}` : `${commandType} of ${domain}`
  const many = `${number.format(count)} in 10 min${trend === null ? '' : `, ${trend}`}`
  switch (kind) {
    case 'allFail':
      return `nothing succeeds in ${where} since ${since}: ${code} (${many})`
    case 'typeFails':
      return `every ${where} fails since ${since}: ${code} (${many})`
    case 'newError':
      return `${code} in ${where} is new since ${since} (${many})`
    default:
      return `${code} in ${where} since ${since} (${many})`
  }
}
