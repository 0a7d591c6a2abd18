import type { Command } from 'commander'
import { commandIdOf, domainOf } from '../../../application/shared/input.ts'
import type { Rehearsal } from '../../../application/troubleshooting/rehearse-command.ts'
import { demoDomains } from '../../demo/index.ts'
import type { RehearsalProcess } from '../../rehearsal/child.ts'
import type { DomainHandlers } from '../../rehearsal/in-process.ts'
import { handlersByType } from '../../rehearsal/known-handlers.ts'
import { readConfig } from '../../settings/config.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import type { Handler } from '../../worker/attempt/handler.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused, UsageError } from '../support/failure.ts'
import { loadHandlers } from '../support/handlers-module.ts'
import { numberOf, readJson } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { whichDomain } from '../support/which-domain.ts'
import { fields, pretty, print, printJson } from '../text/output.ts'

interface Source {
  readonly handlers?: string
  readonly demo?: true
  readonly domain?: string
}

interface Options extends Source {
  readonly data?: string
  readonly timeout?: number
  readonly json?: true
}

/** Adds `rehearse`, which shows what a retry would do, and `rehearsal`, the internal process that a rehearsal runs in. */
export const addRehearse = (program: Command, deps: CliDeps): void => {
  fromSource(program.command('rehearse').description('run the handler on a parked command and roll everything back'))
    .argument('<id>', 'the id of the command')
    .option('--data <json>', 'instead of its payload: JSON, @file or - for standard input')
    .option('--timeout <ms>', 'how long the handler may take, up to 60000 (default: 10000)', numberOf('--timeout'))
    .option('--json', 'print JSON')
    .action(async (given: string, options: Options) => {
      const id = commandIdOf(given)
      const domain = options.domain === undefined ? undefined : domainOf(options.domain)
      const rehearsals = rehearsalProcess(deps, options)
      const edited = options.data === undefined ? {} : { data: await readJson('--data', options.data) }
      const timeout = options.timeout === undefined ? {} : { timeoutMs: options.timeout }
      const rehearsal = await withBus(
        deps,
        async ({ bus }) =>
          bus.troubleshooting.rehearse(await whichDomain(bus, id, domain), id, { ...edited, ...timeout }),
        { rehearsals },
      )
      if (options.json) printJson(rehearsal)
      else print(rehearsalText(rehearsal))
      if (rehearsal.outcome !== 'SUCCESS') throw new Refused('a retry would not complete it')
    })

  fromSource(program.command('rehearsal', { hidden: true })).action(async (options: Source) => {
    const { databaseUrl, databaseTimeoutMs } = readConfig(deps.env)
    if (process.send === undefined || databaseUrl === undefined) {
      throw new UsageError('this is how `rehearse` starts the process that it runs a handler in: use `rehearse`')
    }
    // the parent process is gone
    process.on('disconnect', () => process.exit(1))
    const [{ serveRehearsal }, { createLogger }] = await loadWith('`commandbus rehearse`', ['telemetry'], () =>
      Promise.all([import('../../rehearsal/serve.ts'), import('../../telemetry/logger.ts')]),
    )
    await serveRehearsal({
      databaseUrl,
      databaseTimeoutMs,
      handlers: () => handlersFrom(options),
      log: createLogger({ level: 'warn', name: 'rehearsal' }),
    })
  })
}

const fromSource = (command: Command): Command =>
  command
    .option('--handlers <module>', 'an ES module that exports `handlers`, by domain and command type')
    .option('--demo', 'with the demo handlers (this when no module is named)')
    .option('--domain <domain>', 'where the command is; needed when the id is in several')

/** The process in which these handlers are rehearsed. */
export const rehearsalProcess = ({ program, env }: CliDeps, source: Source): RehearsalProcess => ({
  command: [program, 'rehearsal', ...sourceFlags(source)],
  env,
  hasCodecs: source.handlers !== undefined,
})

/** Passes the same handlers to the process that runs them; by default the demo's, for its domains. */
const sourceFlags = ({ handlers, demo, domain }: Source): readonly string[] => [
  ...(handlers === undefined ? [] : ['--handlers', handlers]),
  ...(demo || handlers === undefined ? ['--demo'] : []),
  ...(handlers === undefined || domain === undefined ? [] : ['--domain', domain]),
]

const handlersFrom = async ({ handlers, demo, domain }: Source): Promise<DomainHandlers> => {
  const given = handlers === undefined ? new Map<string, Handlers>() : await loadHandlers(handlers, domain)
  const all = new Map<string, Handlers>([...(demo ? demoDomains : []), ...given])
  return {
    domains: () => [...all.keys()],
    of: name => {
      const own = all.get(name)
      return own === undefined ? undefined : handlersByType(own)
    },
  }
}

type Handlers = { readonly [commandType: string]: Handler }

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
