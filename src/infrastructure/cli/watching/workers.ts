import type { Command } from 'commander'
import type { KnownWorker } from '../../../application/ports/reading/worker-queries.ts'
import { defined, domainOf } from '../../../application/shared/input.ts'
import { type Unhandled, unhandledSentence } from '../../../domain/flow/unhandled.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { type Column, table, when } from '../text/output.ts'

interface Options {
  readonly domain?: string
  readonly json?: true
}

export const addWorkers = (program: Command, deps: CliDeps): void => {
  program
    .command('workers')
    .description('list the workers, what they run, and the commands that no worker is there for')
    .option('--domain <domain>', 'only those of this domain')
    .option('--json', 'print JSON')
    .action(async ({ domain, ...flags }: Options) => {
      const filter = defined({ domain: domain === undefined ? undefined : domainOf(domain) })
      await printAnswer(deps, flags, async bus => {
        const [items, missing] = [await bus.workers.list(filter), await bus.workers.missing(filter)]
        return [{ items, missing }, [workersText(items), ...missingLines(missing)].join('\n\n')]
      })
    })
}

export const workersText = (workers: readonly KnownWorker[]): string =>
  workers.length === 0 ? 'No worker was heard of within the last hour.' : table(workers, columns)

/** One paragraph, or none. */
export const missingLines = (missing: readonly Unhandled[]): readonly string[] =>
  missing.length === 0 ? [] : [missing.map(unhandledSentence).join('\n')]

const columns: readonly Column<KnownWorker>[] = [
  { title: 'WORKER', value: worker => worker.workerId.replace(/^worker:/, ''), flexible: true },
  { title: 'DOMAIN', value: worker => worker.domain },
  { title: 'STATUS', value: worker => worker.status },
  { title: 'HOST', value: worker => worker.host, flexible: true },
  { title: 'PID', value: worker => worker.pid },
  { title: 'BUILD', value: worker => worker.build, flexible: true },
  { title: 'BUSY', value: worker => `${worker.busy}/${worker.slots}` },
  { title: 'LAST BEAT', value: worker => when(worker.beatAt) },
  { title: 'TYPES', value: worker => worker.types.join(', '), flexible: true },
  {
    title: 'RUNS',
    value: ({ running }) => running.map(one => `${one.commandType} ${one.commandId}`).join(', '),
    flexible: true,
  },
]
