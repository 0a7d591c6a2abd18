import { commandIdOf, domainOf } from '../../../application/shared/input.ts'
import type { CommandPlan } from '../../../application/troubleshooting/dry-run.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { failureOf, Refused } from '../support/failure.ts'
import { whichDomain } from '../support/which-domain.ts'
import { print, printJson, printNote } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'

/** The result for one command. */
export interface Done {
  readonly commandId: string
  readonly status: string
  readonly msgId?: string | null
  readonly dryRun?: CommandPlan
  readonly planToken?: string
}

export interface Targets {
  readonly ids: readonly string[]
  readonly domain: string | undefined
}

/** Checks the ids and removes duplicates. @throws InvalidInputError */
export const targetsOf = (ids: readonly string[], domain: string | undefined): Targets => ({
  ids: [...new Set(ids.map(id => commandIdOf(id)))],
  domain: domain === undefined ? undefined : domainOf(domain),
})

/**
 * Runs `act` on each command in turn; a refusal does not stop the others. The JSON output for a single id is its answer;
 * for several ids it is `{results: [...]}` in their order, with an `error` for each refusal.
 */
export const actOnEach = async (
  bus: CommandBus,
  { ids, domain }: Targets,
  options: { readonly json?: true },
  act: (domain: string, commandId: string) => Promise<Done>,
  say: (done: Done & { readonly domain: string }) => string,
): Promise<void> => {
  const [first] = ids
  if (ids.length === 1 && first !== undefined) {
    const where = await whichDomain(bus, first, domain)
    const done = { domain: where, ...(await act(where, first)) }
    if (options.json) printJson(done)
    else print(say(done))
    return
  }
  const progress = startProgress('commands', ids.length)
  const results: object[] = []
  let refused = 0
  try {
    for (const commandId of ids) {
      try {
        const where = await whichDomain(bus, commandId, domain)
        const done = { domain: where, ...(await act(where, commandId)) }
        results.push(done)
        if (!options.json) progress.above(() => print(say(done)))
      } catch (error) {
        const { code, message } = failureOf(error)
        if (code === 'UNAVAILABLE' || code === 'FAILED') throw error
        refused++
        results.push({ ...(domain === undefined ? {} : { domain }), commandId, error: { code, message } })
        if (!options.json) progress.above(() => printNote(message))
      }
      progress.step()
    }
  } finally {
    progress.end()
  }
  if (options.json) printJson({ results })
  if (refused > 0) throw new Refused('some commands were refused')
}
