import { MOST_COUNTED, type Unhandled, unhandledPart } from '../../domain/flow/unhandled.ts'
import type { Trend } from './course.ts'
import { failuresOf } from './failures.ts'
import { type Clock, problemKinds, type StatusFacts, type StatusProblem } from './problems.ts'

/** What is broken now, in a sentence and in parts. */
export interface Status {
  readonly at: string
  /** What is broken, since when, how much, and whether it gets worse. */
  readonly sentence: string
  /** The worst first. */
  readonly problems: readonly StatusProblem[]
}

const UNREAD_SECONDS = 600
const LATE_SECONDS = 120
const MOST_NAMED = 3
const CHANGE_MS = 15 * 60_000

const number = new Intl.NumberFormat('en')

/** What is broken, in one sentence. `timeZone` is that of the reader, and has to be a valid one. */
export const statusOf = (facts: StatusFacts, timeZone: string): Status => {
  const time = clockOf(facts.at, timeZone)
  const problems = [
    ...facts.noWorkers.map(noWorker(facts, time)),
    ...failuresOf(facts, time),
    ...facts.queues.flatMap(unread(facts, time)),
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

/** As in `7 wait, rises`. */
const waits = (count: number, trend: Trend | null): string =>
  `${number.format(count)}${count >= MOST_COUNTED ? ' or more' : ''} ${count === 1 ? 'waits' : 'wait'}${trend === null ? '' : `, ${trend}`}`

/** `change`: within the last 15 minutes. What began within them has grown from nothing. */
const trendOf = (at: string, since: string, change: number | null): Trend | null => {
  if (change === null) return Date.parse(at) - Date.parse(since) < CHANGE_MS ? 'rises' : null
  if (change === 0) return 'steady'
  return change > 0 ? 'rises' : 'falls'
}

/** How much more waits in the queues of a domain; of one of its types that is not known. */
const changeOf = (queues: StatusFacts['queues'], { domain, commandType }: Unhandled): number | null => {
  const own = commandType === null ? queues.filter(queue => queue.domain === domain) : []
  const known = own.flatMap(({ change }) => (change === null ? [] : [change]))
  return known.length === 0 ? null : known.reduce((sum, change) => sum + change, 0)
}

const noWorker =
  ({ at, queues }: StatusFacts, time: Clock) =>
  (missing: Unhandled): StatusProblem => {
    const { domain, commandType, pending: count, since } = missing
    const trend = trendOf(at, since, changeOf(queues, missing))
    const sentence = `no worker for ${unhandledPart(missing)} since ${time(since)} (${waits(count, trend)})`
    return { ...nowhere, kind: 'noWorker', domain, commandType, since, count, trend, sentence }
  }

const unread =
  ({ at }: StatusFacts, time: Clock) =>
  ({ queue, kind, depth: count, change, unreadSeconds }: StatusFacts['queues'][number]): readonly StatusProblem[] => {
    if (kind === 'commands' || unreadSeconds === null || unreadSeconds < UNREAD_SECONDS) return []
    const since = new Date(Date.parse(at) - unreadSeconds * 1_000).toISOString()
    const trend = trendOf(at, since, change)
    const what = kind === 'replies' ? 'replies' : 'messages'
    const sentence = `${what} in ${queue} unread since ${time(since)} (${waits(count, trend)})`
    return [{ ...nowhere, kind: 'unreadQueue', queue, since, count, trend, sentence }]
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
