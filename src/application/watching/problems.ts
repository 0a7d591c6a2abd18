import type { Unhandled } from '../../domain/flow/unhandled.ts'
import type { CauseCourse, QueueFigures, TypeCourse } from '../ports/reading/figures.ts'
import type { Trend } from './course.ts'

/** What the state of the bus is read from. */
export interface StatusFacts {
  /** The moment, ISO 8601. */
  readonly at: string
  readonly noWorkers: readonly Unhandled[]
  readonly causes: readonly CauseCourse[]
  /** Null: not known. */
  readonly types: readonly TypeCourse[] | null
  readonly queues: readonly Pick<QueueFigures, 'queue' | 'kind' | 'domain' | 'depth' | 'change' | 'unreadSeconds'>[]
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
 * `typeFails`: nothing of some types succeeds, while others of the domain do. `newError`: some attempts fail with a code that was not
 * seen before, as after a deployment. `failing`: many attempts fail with a code, but not all. `unreadQueue`: nobody reads a queue of
 * replies.
 * `figuresLate`: counting is behind, so that there may be more.
 */
export type ProblemKind = (typeof problemKinds)[number]

/** One thing that is broken. */
export interface StatusProblem {
  readonly kind: ProblemKind
  readonly domain: string | null
  readonly commandType: string | null
  readonly errorCode: string | null
  readonly queue: string | null
  readonly since: string
  /** Of commands or messages that wait, or attempts that failed in the last ten minutes. */
  readonly count: number
  /** What waits compared with 15 minutes ago; failures of the last ten minutes compared with the ten before. Null: not known. */
  readonly trend: Trend | null
  /** One clause, such as `no worker for inventory since 13:02 (7 wait, rises)`. */
  readonly sentence: string
}

/** An instant in the words of the reader. */
export type Clock = (instant: string) => string
