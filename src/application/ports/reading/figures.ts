/** How far back figures go. */
export const figureRanges = ['15m', '1h', '6h', '24h', '7d'] as const
/** How far back figures go. */
export type FigureRange = (typeof figureRanges)[number]

/** A range in buckets: `seconds` is the length of one. */
export const bucketsOf = {
  '15m': { seconds: 60, count: 15 },
  '1h': { seconds: 60, count: 60 },
  '6h': { seconds: 900, count: 24 },
  '24h': { seconds: 900, count: 96 },
  '7d': { seconds: 7_200, count: 84 },
} as const satisfies { readonly [R in FigureRange]: { readonly seconds: 60 | 900 | 7_200; readonly count: number } }

/** What happened to commands. */
export interface Outcomes {
  readonly sent: number
  /** Attempts that failed and were to be repeated. */
  readonly failedAttempts: number
  /** By their handlers, and by operators. */
  readonly completed: number
  /** Ended FAILED. */
  readonly failed: number
  /** Moved to troubleshooting. */
  readonly parked: number
  readonly canceled: number
}

/** The outcomes of a part of the range; `at` is where it begins. */
export interface FigureBucket extends Outcomes {
  readonly at: string
}

/** Half of the attempts took at most `p50Ms` milliseconds, 95 % at most `p95Ms`; exact to a fifth and their rounding. Null: there were none. */
export interface Spread {
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

/** What happened to commands of one type. */
export interface TypeFigures extends Outcomes {
  readonly domain: string
  readonly commandType: string
  /** Attempts that began. */
  readonly attempts: number
  readonly sentPerMinute: number
  /** The share of attempts that failed, 0 to 1; null: none ended. */
  readonly failureShare: number | null
  /** From when an attempt was due until it began; the time in a lane is part of it. */
  readonly wait: Spread
  readonly run: Spread
  /** The most frequent error codes of the range, at most five. */
  readonly errors: readonly { readonly code: string; readonly count: number }[]
  /** Within seven days. */
  readonly lastSuccessAt: string | null
  /** Now: commands that are due and that nobody has begun, counted when the answer was made. */
  readonly waiting: number
  /** Since when the longest of them is due. */
  readonly waitingSince: string | null
  /** Now: commands that are due later. */
  readonly scheduled: number
  readonly running: number
}

/** Which types `figures.types` returns. */
export interface TypesFilter {
  /** Default 15m. */
  readonly range?: FigureRange
  readonly domain?: string
  readonly commandType?: string
  /** `''`: of commands without a tenant. Of one tenant there are no figures by type. Default: of all. */
  readonly tenantId?: string
}

/** How complete figures are. */
export interface Counted {
  /** The moment of the answer, by the clock of the database. */
  readonly at: string
  /** The age of the oldest event that is not counted yet, in seconds; null: nothing counts figures, or has begun to. */
  readonly behindSeconds: number | null
}

/** Figures by command type. */
export interface TypesPage extends Counted {
  readonly range: FigureRange
  /** Where the first bucket begins; the last one is under way. */
  readonly from: string
  readonly bucketSeconds: number
  /** Oldest first, one for each bucket: of all types that match the filter. */
  readonly series: readonly FigureBucket[]
  /** The 500 busiest; those without a command in range are left out, unless commands of them wait or run. */
  readonly items: readonly TypeFigures[]
  readonly total: number
}

/** What waits on a queue, and how fast it changes. */
export interface QueueFigures {
  readonly queue: string
  readonly kind: 'commands' | 'replies' | 'other'
  /** Of a queue of commands. */
  readonly domain: string | null
  /** Messages that can be read now. With many thousands, figures of messages are estimates. */
  readonly ready: number
  /** Of a queue of commands: those that a worker has. Of other queues: 0. */
  readonly inFlight: number
  /** The other hidden messages: they wait for their time or their next attempt. */
  readonly delayed: number
  /** Of a queue of commands: those held back by their lane or by a pause; they are among the delayed. */
  readonly held: number
  readonly depth: number
  /** How much `depth` has grown in the range; null: not known. */
  readonly change: number | null
  /** Messages that came and went in the range, a minute; null: not known. */
  readonly inPerMinute: number | null
  readonly outPerMinute: number | null
  readonly oldestAgeSeconds: number | null
  /** Of a queue that is not for commands: how long nobody has read from it; null: it is empty, or was read. */
  readonly unreadSeconds: number | null
  /** All messages ever. */
  readonly total: number
  /** Messages that no command of this bus sent and that wait for an operator. */
  readonly strangers: number
}

/** Which queues `figures.queues` returns. */
export interface QueuesFilter {
  /** Default 15m. */
  readonly range?: FigureRange
  readonly queue?: string
  /** Queues have the commands of all tenants: for one tenant, or none, there are no figures. Default: all. */
  readonly tenantId?: string
}

/** What came to a queue and went from it in a span of time. */
export interface QueueBucket {
  readonly at: string
  /** At the end of the bucket; null: not known. */
  readonly depth: number | null
  readonly came: number
  readonly went: number
}

/** Figures of queues. */
export interface QueuesPage extends Counted {
  readonly range: FigureRange
  readonly from: string
  readonly bucketSeconds: number
  readonly items: readonly QueueFigures[]
  /** With `queue`: its buckets, oldest first; else empty. */
  readonly series: readonly QueueBucket[]
}

/** Commands of one type that fail with the same code. */
export interface FailureCause {
  readonly domain: string
  readonly commandType: string
  readonly errorCode: string
  /** Now in troubleshooting; snoozed ones are not counted. */
  readonly parked: number
  /** Ended FAILED within seven days. */
  readonly failed: number
  readonly first: string
  readonly last: string
  /** Attempts that failed so. For a token of one tenant: commands that were parked so and are still there. */
  readonly last15m: number
  readonly last1h: number
  /** The last hour in parts of five minutes, oldest first; the last one is under way. */
  readonly series: readonly number[]
  /** First seen within the hour, while figures go further back. */
  readonly isNew: boolean
  readonly sample: string | null
}

/** Why commands fail: causes with their counts. */
export interface CausesPage extends Counted {
  /** Those that fail now first, then those with most parked; at most 500. */
  readonly items: readonly FailureCause[]
  readonly total: number
}

/** A cause with its course, for the state of the bus. */
export interface CauseCourse extends Omit<FailureCause, 'series' | 'sample' | 'last15m' | 'last1h'> {
  /** Failures in each of the last 60 minutes, oldest first; the last one is under way. */
  readonly minutes: readonly number[]
  /** In each of the last 96 quarters of an hour. */
  readonly quarters: readonly number[]
}

/** How often commands of a type ended in the last 15 minutes; those of which none ended are left out. */
export interface TypeCourse extends Pick<TypeFigures, 'domain' | 'commandType' | 'completed' | 'lastSuccessAt'> {
  /** Failed attempts, failed and parked ones together. */
  readonly failures: number
}

export interface Courses extends Counted {
  readonly causes: readonly CauseCourse[]
  /** Null: not known, for one tenant. */
  readonly types: readonly TypeCourse[] | null
  readonly parked: number
}

/** Whose commands: of one tenant, `''`: of none; default: all. */
interface Whose {
  readonly tenantId?: string
}

/** What is read of figures; SQL does the sums. */
export interface FigureQueries {
  readonly types: (filter: TypesFilter & { readonly range: FigureRange }) => Promise<TypesPage>
  readonly queues: (filter: QueuesFilter & { readonly range: FigureRange }) => Promise<QueuesPage>
  readonly causes: (whose: Whose) => Promise<CausesPage>
  readonly courses: (whose: Whose) => Promise<Courses>
}
