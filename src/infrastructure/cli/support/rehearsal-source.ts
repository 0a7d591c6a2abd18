import type { Command } from 'commander'
import { demoDomains } from '../../demo/index.ts'
import type { RehearsalProcess } from '../../rehearsal/child.ts'
import { type ModuleHandlers, moduleHandlers } from '../../rehearsal/known-handlers.ts'
import type { CliDeps } from './deps.ts'
import { type ForHandlers, type Handlers, loadHandlers } from './handlers-module.ts'

/** Whose handlers are rehearsed. */
export interface Source {
  readonly handlers?: string
  readonly demo?: true
  readonly domain?: string
}

export const fromSource = (command: Command): Command =>
  command
    .option(
      '--handlers <module>',
      'a module that exports `handlers`, by domain and command type, or a function that makes them',
    )
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

export const handlersFrom = async ({ handlers, demo, domain }: Source, given: ForHandlers): Promise<ModuleHandlers> => {
  const ofModule = handlers === undefined ? new Map<string, Handlers>() : await loadHandlers(handlers, domain, given)
  return moduleHandlers(new Map<string, Handlers>([...(demo ? demoDomains : []), ...ofModule]))
}
