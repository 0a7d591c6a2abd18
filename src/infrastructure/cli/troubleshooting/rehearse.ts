import type { Command } from 'commander'
import { commandIdOf, domainOf } from '../../../application/shared/input.ts'
import type { Rehearsal } from '../../../application/troubleshooting/rehearse-command.ts'
import { readConfig } from '../../settings/config.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import { onlyOfPeriods, type PastFlags, pastFlags, rehearsePastCommands } from '../deploying/rehearse-past.ts'
import { rehearsalBus } from '../support/bus-for-handlers.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused, UsageError } from '../support/failure.ts'
import { numberOf, readJson } from '../support/input.ts'
import { fromSource, handlersFrom, rehearsalProcess, type Source } from '../support/rehearsal-source.ts'
import { logOf, withBus } from '../support/session.ts'
import { whichDomain } from '../support/which-domain.ts'
import { fields, pretty, print, printJson } from '../text/output.ts'

interface Options extends Source, PastFlags {
  readonly data?: string
  readonly timeout?: number
  readonly json?: true
}

/** Adds `rehearse`, which shows what a retry or a deploy would do, and `rehearsal`, the internal process that a rehearsal runs in. */
export const addRehearse = (program: Command, deps: CliDeps): void => {
  const command = program
    .command('rehearse')
    .description('run handlers on a parked command, or on all of a period, and roll everything back')
    .argument('[id]', 'the id of a parked command; or name a period with --since')
  pastFlags(fromSource(command))
    .option('--data <json>', 'instead of its payload: JSON, @file or - for standard input')
    .option('--timeout <ms>', 'how long a handler may take, up to 60000 (default: 10000)', numberOf('--timeout'))
    .option('--json', 'print JSON')
    .action(async (given: string | undefined, options: Options) => {
      if ((given === undefined) === (options.since === undefined))
        throw new UsageError('name either the id of a parked command, or a period with --since, such as --since 24h')
      const stray = given === undefined ? undefined : onlyOfPeriods.find(name => options[name] !== undefined)
      if (stray !== undefined)
        throw new UsageError(
          '--type, --limit, --against, --ignore, --fail-on, --concurrency and --junit go with --since',
        )
      if (given === undefined) await rehearsePastCommands(deps, options)
      else await rehearseOne(deps, commandIdOf(given), options)
    })

  fromSource(program.command('rehearsal', { hidden: true })).action(async (options: Source) => {
    const config = readConfig(deps.env)
    const { databaseUrl, databaseTimeoutMs } = config
    if (process.send === undefined || databaseUrl === undefined) {
      throw new UsageError('this is how `rehearse` starts the process that it runs a handler in: use `rehearse`')
    }
    // the parent process is gone
    process.on('disconnect', () => process.exit(1))
    const [{ serveRehearsal }, { createLogger }] = await loadWith('`commandbus rehearse`', ['telemetry'], () =>
      Promise.all([import('../../rehearsal/serve.ts'), import('../../telemetry/logger.ts')]),
    )
    // limits of queues are counted outside of the transaction, which would stay
    const open = { databaseUrl, maxConnections: 2, ...logOf(config), maxQueues: null, newQueuesPerHour: null }
    const bus = rehearsalBus(() => deps.createBus(open))
    await serveRehearsal({
      databaseUrl,
      databaseTimeoutMs,
      handlers: () => handlersFrom(options, { bus, rehearsal: true }),
      log: createLogger({ level: 'warn', name: 'rehearsal' }),
    })
  })
}

const rehearseOne = async (deps: CliDeps, id: string, options: Options): Promise<void> => {
  const domain = options.domain === undefined ? undefined : domainOf(options.domain)
  const rehearsals = rehearsalProcess(deps, options)
  const edited = options.data === undefined ? {} : { data: await readJson('--data', options.data) }
  const timeout = options.timeout === undefined ? {} : { timeoutMs: options.timeout }
  const rehearsal = await withBus(
    deps,
    async ({ bus }) => bus.troubleshooting.rehearse(await whichDomain(bus, id, domain), id, { ...edited, ...timeout }),
    { rehearsals },
  )
  if (options.json) printJson(rehearsal)
  else print(rehearsalText(rehearsal))
  if (rehearsal.outcome !== 'SUCCESS') throw new Refused('a retry would not complete it')
}

const rehearsalText = ({ commandId, outcome, wouldBe, error, result, durationMs }: Rehearsal): string =>
  [
    fields([
      ['Command', commandId],
      ['Outcome', outcome],
      ['Would be', wouldBe ?? 'unknown'],
      ['Error', error === null ? '' : `${error.code}: ${error.message}`],
      ['Took', `${durationMs} ms`],
    ]),
    ...(outcome === 'SUCCESS' ? [`Result\n${pretty(result)}`] : []),
    'Everything was rolled back: nothing has changed.',
  ].join('\n\n')
