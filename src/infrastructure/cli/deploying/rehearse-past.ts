import type { Command } from 'commander'
import type { Pool } from 'pg'
import { ignoredPathOf } from '../../../application/deploying/compare-attempts.ts'
import { createReport, type RehearsalReport } from '../../../application/deploying/rehearsal-report.ts'
import { rehearsePast, type Sessions } from '../../../application/deploying/rehearse-past.ts'
import type { ModuleHandler, RehearsalSession } from '../../../application/ports/deploying.ts'
import { MAX_REHEARSAL_MS } from '../../../application/ports/rehearsals.ts'
import { hide } from '../../../application/sensitive/hide.ts'
import type { SensitivePath } from '../../../application/sensitive/sensitive-paths.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { commandTypeOf, domainOf } from '../../../application/shared/input.ts'
import { createPastCommands } from '../../postgres/deploying/past-commands.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { createSensitivePaths } from '../../postgres/sensitive/sensitive-store.ts'
import { openRehearsalSession } from '../../rehearsal/session.ts'
import { type Database, withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused, UsageError } from '../support/failure.ts'
import { again, instantBack, numberOf } from '../support/input.ts'
import { rehearsalProcess, type Source } from '../support/rehearsal-source.ts'
import { withDatabase } from '../support/session.ts'
import { print, printJson } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'
import { openFile, writeJUnit } from './junit.ts'
import { reportText } from './report-text.ts'

/** The flags of `rehearse --since`. */
export interface PastFlags {
  readonly since?: string
  readonly type?: readonly string[]
  readonly limit?: number
  readonly parked?: boolean
  readonly against?: string
  readonly ignore?: readonly string[]
  readonly failOn?: string
  readonly concurrency?: number
  readonly junit?: string
}

interface Flags extends PastFlags, Source {
  readonly data?: string
  readonly timeout?: number
  readonly json?: true
}

const USUAL_LIMIT = 1_000
const MOST = 100_000
const MOST_AT_ONCE = 8
const USUAL_TIMEOUT_MS = 10_000

const failures = ['changes', 'failures'] as const
type FailOn = (typeof failures)[number]

export const pastFlags = (command: Command): Command =>
  command
    .option(
      '--since <when>',
      'all that were sent since then and have ended, and all that are parked: 24h, 7d or an ISO 8601 time',
    )
    .option('--type <type>', 'only commands of this type; may be repeated', again)
    .option(
      '--limit <n>',
      `at most so many, the newest of each type, 1-${MOST} (default: ${USUAL_LIMIT})`,
      numberOf('--limit'),
    )
    .option('--no-parked', 'leave parked commands out')
    .option(
      '--against <module>',
      'compare with these handlers, run on the same data, instead of with what was recorded',
    )
    .option(
      '--ignore <path>',
      'a difference that does not count, such as result.at or sent.*.data.id; may be repeated',
      again,
    )
    .option(
      '--fail-on <what>',
      'which exit with code 1: changes (default; also other results) or failures (only new ones)',
    )
    .option(
      '--concurrency <n>',
      `so many at once, each in its own process, 1-${MOST_AT_ONCE} (default: 1)`,
      numberOf('--concurrency'),
    )
    .option('--junit <file>', 'also write a JUnit file')

/** Flags that go with `--since` only. */
export const onlyOfPeriods = ['type', 'limit', 'against', 'ignore', 'failOn', 'concurrency', 'junit'] as const

/** Checks the flags, then rehearses, prints the report, and refuses when something has changed. */
export const rehearsePastCommands = async (deps: CliDeps, flags: Flags): Promise<void> => {
  const { timeoutMs, failOn, concurrency, ...options } = optionsOf(flags)
  const config = readConfig(deps.env)
  const junit = flags.junit === undefined ? null : await openFile('--junit', flags.junit)
  const logIsHere = config.eventStoreUrl === undefined
  const { result, commands, of } = await withDatabase(config, database =>
    withPool(database, async pool => {
      await assertSchemaCurrent(pool)
      const sessions = openSessions(deps, database, pool, flags, concurrency)
      let progress = startProgress('commands rehearsed', 0)
      try {
        const handlers = await handlersOf(sessions)
        const domains = [...new Set(handlers.map(({ domain }) => domain))]
        const report = createReport(await hiding(deps, pool, handlers))
        const found = await rehearsePast(
          {
            past: createPastCommands(pool, { withSent: logIsHere }),
            handlers,
            sessions,
            report,
            onFound: count => {
              progress = startProgress('commands rehearsed', count)
            },
            onDone: () => progress.step(),
          },
          { ...options, domains, timeoutMs },
        )
        return { result: report.result(), commands: report.commands(), of: found }
      } finally {
        progress.end()
        await Promise.all(sessions.flatMap(({ next, against }) => [next.close(), against?.close()]))
      }
    }),
  )
  const whole = { since: options.since, of, ...result, rolledBack: true as const }
  if (junit !== null) await writeJUnit(junit, commands, result)
  if (flags.json) printJson(whole)
  else print(reportText(whole))
  const why = whyRefused(result, failOn)
  if (why !== null) throw new Refused(why)
}

const optionsOf = (flags: Flags) => {
  const { since = '', limit = USUAL_LIMIT, timeout = USUAL_TIMEOUT_MS, concurrency = 1, failOn = 'changes' } = flags
  if (flags.data !== undefined) throw new UsageError('--data is for one command: name its id instead of --since')
  const check = (flag: string, value: number, most: number): void => {
    if (value < 1 || value > most) throw new InvalidInputError(flag, `must be from 1 to ${most}`)
  }
  check('--limit', limit, MOST)
  check('--timeout', timeout, MAX_REHEARSAL_MS)
  check('--concurrency', concurrency, MOST_AT_ONCE)
  if (!failures.includes(failOn as FailOn)) throw new InvalidInputError('--fail-on', 'must be changes or failures')
  if (flags.domain !== undefined) domainOf(flags.domain)
  // the demo's handlers would find nothing, which in CI would look like a success
  if (flags.handlers === undefined && !flags.demo)
    throw new UsageError('choose whose handlers are rehearsed: --handlers <module>, or --demo')
  return {
    since: instantBack('--since', since),
    limit,
    timeoutMs: timeout,
    concurrency,
    failOn: failOn as FailOn,
    withParked: flags.parked !== false,
    ignored: (flags.ignore ?? []).map(ignoredPathOf),
    ...(flags.type === undefined ? {} : { commandTypes: flags.type.map(commandTypeOf) }),
  }
}

interface Opened extends Sessions {
  readonly next: RehearsalSession
  readonly against?: RehearsalSession
}

const openSessions = (
  deps: CliDeps,
  { url: databaseUrl }: Database,
  pool: Pool,
  flags: Flags,
  concurrency: number,
): readonly Opened[] => {
  const open = (source: Source): RehearsalSession =>
    openRehearsalSession({ ...rehearsalProcess(deps, source), databaseUrl, pool })
  const { against, domain } = flags
  const before: Source = {
    ...(domain === undefined ? {} : { domain }),
    ...(against === undefined ? {} : { handlers: against }),
  }
  return Array.from({ length: concurrency }, () => ({
    next: open(flags),
    ...(against === undefined ? {} : { against: open(before) }),
  }))
}

/** Both modules are loaded before anything is run. */
const handlersOf = async ([first]: readonly Opened[]): Promise<readonly ModuleHandler[]> => {
  const handlers = (await first?.next.handlers()) ?? []
  await first?.against?.handlers()
  return handlers
}

/** Hides what was declared sensitive, also what only the new handlers declare. */
const hiding = async (
  deps: CliDeps,
  pool: Pool,
  handlers: readonly ModuleHandler[],
): Promise<Parameters<typeof createReport>[0]> => {
  if (deps.reveal?.() === true) return value => value
  const declared: readonly SensitivePath[] = handlers.flatMap(({ domain, commandType, sensitive }) =>
    sensitive.map(path => ({ domain, commandType, path })),
  )
  const paths = [...(await createSensitivePaths(pool).known()), ...declared]
  return (value, place) =>
    hide(
      value,
      { paths, reveals: () => false },
      place === null ? {} : { domain: place.domain, commandType: place.commandType },
    )
}

/** Null: a deploy changes nothing that was asked about. */
const whyRefused = (
  { rehearsed, notRehearsed, otherResult, newlyFailing }: RehearsalReport,
  failOn: FailOn,
): string | null => {
  if (newlyFailing > 0 || (failOn === 'changes' && otherResult > 0)) return 'handlers would end otherwise'
  // a check that has checked nothing must not look like one that has passed
  return rehearsed === 0 && notRehearsed > 0 ? 'nothing could be rehearsed' : null
}
