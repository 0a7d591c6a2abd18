import type { Unhandled } from '../../domain/flow/unhandled.ts'
import type { Scope } from '../ports/authorization.ts'
import type {
  CausesPage,
  FigureQueries,
  FigureRange,
  QueuesFilter,
  QueuesPage,
  TypesFilter,
  TypesPage,
} from '../ports/reading/figures.ts'
import { figureRanges } from '../ports/reading/figures.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandTypeOf, defined, domainOf, oneOf, queueOf } from '../shared/input.ts'
import { type Status, statusOf } from './status.ts'

/** What the sentence about the state looks at. */
export interface StatusOptions {
  /** The time zone of the times in the sentence, such as `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string
  /** Of one tenant, `''`: of none. Default: of all. */
  readonly tenantId?: string
}

/** Figures of the whole bus, counted from the log; they are a second or two old while a process counts them. */
export interface Figures {
  /** Types of commands: what was sent and how it ended, how long attempts waited and ran. @throws InvalidInputError */
  readonly types: (filter?: TypesFilter) => Promise<TypesPage>
  /** Queues: what waits, and how fast messages come and go; with `queue` also its course. @throws InvalidInputError */
  readonly queues: (filter?: QueuesFilter) => Promise<QueuesPage>
  /** Why commands fail, each type and error code with its course: of one tenant's parked commands, or of all. */
  readonly causes: (scope?: { readonly tenantId?: string }) => Promise<CausesPage>
  /** What is broken, since when, how much, and whether it gets worse: one sentence, and its parts. @throws InvalidInputError */
  readonly status: (options?: StatusOptions) => Promise<Status>
}

export interface FiguresDeps {
  readonly queries: FigureQueries
  /** What no worker is there for. */
  readonly noWorkers: (scope: Scope) => Promise<readonly Unhandled[]>
}

const DEFAULT_RANGE = '15m'

export const createFigures = ({ queries, noWorkers }: FiguresDeps): Figures => ({
  types: async ({ range, domain, commandType, tenantId } = {}) =>
    queries.types({
      range: rangeOf(range),
      ...(domain === undefined ? {} : { domain: domainOf(domain) }),
      ...(commandType === undefined ? {} : { commandType: commandTypeOf(commandType) }),
      ...defined({ tenantId }),
    }),
  queues: async ({ range, queue, tenantId } = {}) =>
    queries.queues({
      range: rangeOf(range),
      ...(queue === undefined ? {} : { queue: queueOf(queue, 'queue') }),
      ...defined({ tenantId }),
    }),
  causes: async (scope = {}) => queries.causes(scope),
  status: async ({ timeZone = 'UTC', tenantId } = {}) => {
    requireTimeZone(timeZone)
    const whose = defined({ tenantId })
    const [courses, { items }, withoutWorker] = await Promise.all([
      queries.courses(whose),
      queries.queues({ range: DEFAULT_RANGE, ...whose }),
      noWorkers(whose),
    ])
    return statusOf({ ...courses, queues: items, noWorkers: withoutWorker }, timeZone)
  },
})

const rangeOf = (given: FigureRange | undefined): FigureRange =>
  given === undefined ? DEFAULT_RANGE : oneOf(figureRanges, given, 'range')

const requireTimeZone = (timeZone: string): void => {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch {
    throw new InvalidInputError(
      'timeZone',
      `'${timeZone.slice(0, 50)}' is not a time zone: use one such as Europe/Berlin`,
    )
  }
}
