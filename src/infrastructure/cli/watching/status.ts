import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Pool } from 'pg'
import type { DomainStats, QueueStats, Stats } from '../../../application/ports/reading/stats.ts'
import type { KnownWorker } from '../../../application/ports/reading/worker-queries.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import type { CommandBus } from '../../../command-bus.ts'
import type { HealthReport } from '../../../contract/health.ts'
import type { Unhandled } from '../../../domain/flow/unhandled.ts'
import { createStats } from '../../postgres/stats/stats.ts'
import { checkHealth } from '../../service/checks.ts'
import { withPool } from '../../service/database.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { type Column, counted, print, printJson, table } from '../text/output.ts'
import { workersText } from './workers.ts'

interface Options {
  readonly watch?: number | true
  readonly json?: true
}

interface Status extends Pick<Stats, 'at' | 'total' | 'domains' | 'queues'> {
  /** What is broken, in one sentence. */
  readonly sentence: string
  readonly workers: readonly KnownWorker[]
  readonly missing: readonly Unhandled[]
  readonly health: HealthReport
}

const DEFAULT_WATCH_S = 2
/** Moves to the top left and clears from there: less flicker than to clear first. */
const CLEARED = '\u001b[H\u001b[J'

export const addStatus = (program: Command, deps: CliDeps): void => {
  program
    .command('status')
    .description('show counts, queues, workers and health at a glance')
    .option(
      '--watch [seconds]',
      `show it again every so many seconds, 1-3600 (${DEFAULT_WATCH_S}), until Ctrl-C`,
      numberOf('--watch'),
    )
    .option('--json', 'print JSON')
    .action(async ({ watch, json }: Options) => {
      const seconds = watch === true ? DEFAULT_WATCH_S : watch
      if (seconds !== undefined && (seconds < 1 || seconds > 3600))
        throw new InvalidInputError('--watch', 'must be from 1 to 3600')
      await withBus(deps, ({ bus, database }) =>
        withPool(database, async pool => {
          await bus.ready()
          const read = statusReader(bus, pool)
          for (;;) {
            const status = await read()
            if (json) printJson(status)
            else show(statusText(status), seconds !== undefined)
            if (seconds === undefined) return
            await delay(seconds * 1000)
          }
        }),
      )
    })
}

/** On a terminal the next one takes the place of the last. */
const show = (text: string, again: boolean): void => {
  if (again && process.stdout.isTTY === true) process.stdout.write(CLEARED)
  print(again && process.stdout.isTTY !== true ? `${text}\n` : text)
}

const statusReader = (bus: CommandBus, pool: Pool): (() => Promise<Status>) => {
  const stats = createStats(pool)
  return async () => {
    const { at, total, domains, queues } = await stats.read()
    const workers = await bus.workers.list()
    const missing = await bus.workers.missing()
    const { sentence } = await bus.figures.status({ timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone })
    return { at, sentence, total, domains, queues, workers, missing, health: await checkHealth(pool) }
  }
}

const statusText = ({ sentence, total, domains, queues, workers, health }: Status): string =>
  [
    sentence,
    healthSentence(health),
    domains.length === 0 ? 'No command was sent yet.' : table([...domains, { domain: 'all', ...total }], counts),
    ...(queues.length === 0 ? [] : [table(queues, queueColumns)]),
    workersText(workers),
  ].join('\n\n')

/** As in `Health: degraded, 2 problems: ...`. */
const healthSentence = ({ status, reasons }: HealthReport): string =>
  status === 'healthy'
    ? ['Health: healthy', ...reasons].join('; ')
    : `Health: ${status}, ${counted(reasons.length, 'problem')}: ${reasons.join('; ')}`

type Counts = Omit<DomainStats, 'oldestPending'>

const counts: readonly Column<Counts>[] = [
  { title: 'DOMAIN', value: row => row.domain },
  { title: 'PENDING', value: row => row.PENDING },
  { title: 'IN PROGRESS', value: row => row.IN_PROGRESS },
  { title: 'COMPLETED', value: row => row.COMPLETED },
  { title: 'FAILED', value: row => row.FAILED },
  { title: 'CANCELED', value: row => row.CANCELED },
  { title: 'TROUBLESHOOTING', value: row => row.IN_TROUBLESHOOTING_QUEUE },
]

const queueColumns: readonly Column<QueueStats>[] = [
  { title: 'QUEUE', value: row => row.queue },
  { title: 'WAITING', value: row => row.depth },
  { title: 'READY', value: row => row.visible },
  { title: 'OLDEST', value: row => (row.oldestAgeSeconds === null ? '' : `${row.oldestAgeSeconds} s`) },
]
