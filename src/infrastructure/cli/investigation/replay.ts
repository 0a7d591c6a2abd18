import type { Command } from 'commander'
import type { CausalNode } from '../../../application/investigation/causal-tree.ts'
import type { CausalTree } from '../../../application/investigation/investigate.ts'
import type { CommandHistory } from '../../../application/investigation/read-history.ts'
import { commandIdOf, correlationIdOf, domainOf } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { again } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { whichDomain } from '../support/which-domain.ts'
import { type Column, print, printJson, table, timeColumn } from '../text/output.ts'
import { showSteps } from '../text/replay-steps.ts'
import { historyText, stateText } from '../text/replay-text.ts'
import { replayFile } from './replay-file.ts'
import { momentsOf } from './replay-moments.ts'

export interface ReplayOptions {
  readonly domain?: string
  readonly at?: string
  readonly compare?: string
  readonly correlation?: string
  readonly from?: string
  readonly trust?: readonly string[]
  readonly step?: true
  readonly json?: true
}

/** `replay`: a command after each event; or all with a correlation id, and what caused what. */
export const addReplay = (program: Command, deps: CliDeps): void => {
  program
    .command('replay')
    .description('show each event of a command: who, when, what changed and the state after it')
    .argument('[id]', 'the id of the command')
    .option('--domain <domain>', 'the domain of the command; needed if several have this id')
    .option('--at <moment>', 'as it was at a revision (0 is the first event) or an ISO 8601 time')
    .option('--compare <a..b>', 'how two moments differ, like 2..5 or 2026-01-31T12:00Z..2026-01-31T13:00Z')
    .option('--step', 'one event at a time')
    .option('--correlation <id>', 'instead of one command: all with this correlation id, and what caused what')
    .option('--from <file>', 'offline, from a file of `export` or `archive`; says whether it was altered')
    .option('--trust <fingerprint>', 'with --from: the key that must have signed it; may be repeated', again)
    .option('--json', 'print JSON')
    .action(async (given: string | undefined, options: ReplayOptions) => {
      if (options.from !== undefined) return replayFrom(deps, options.from, given, options)
      if (options.correlation !== undefined) return replayCorrelation(deps, given, options.correlation, options)
      if (given === undefined) throw new UsageError("missing required argument 'id': name a command, or --correlation")
      return replayCommand(deps, given, options)
    })
}

const replayFrom = (deps: CliDeps, file: string, id: string | undefined, options: ReplayOptions): Promise<void> => {
  const { domain, at, compare, correlation, step } = options
  if ([domain, at, compare, correlation, step].some(flag => flag !== undefined)) {
    throw new UsageError('--from shows a whole file or one of its commands: leave out the other flags')
  }
  return replayFile(deps, file, id, options)
}

const replayCommand = async (deps: CliDeps, given: string, options: ReplayOptions): Promise<void> => {
  const id = commandIdOf(given)
  const domain = options.domain === undefined ? undefined : domainOf(options.domain)
  const moments = momentsOf(options)
  // the connection is not kept while somebody reads
  const history = await withBus(deps, async ({ bus }) =>
    bus.getHistory(await whichDomain(bus, id, domain), id, moments),
  )
  await showHistory(history, options)
}

/** Shows a history as the flags say, wherever it comes from. */
export const showHistory = async (
  history: CommandHistory,
  { json, step }: Pick<ReplayOptions, 'json' | 'step'>,
): Promise<void> => {
  if (json) printJson(history)
  else if (step) await showSteps(history.items, ({ state }) => stateText(state))
  else print(historyText(history))
}

const replayCorrelation = async (
  deps: CliDeps,
  command: string | undefined,
  correlation: string,
  { domain, at, compare, step, json }: ReplayOptions,
): Promise<void> => {
  if ([command, domain, at, compare, step].some(flag => flag !== undefined)) {
    throw new UsageError('--correlation shows all with that id: leave out the id of a command, and its flags')
  }
  const id = correlationIdOf(correlation)
  await printAnswer(deps, { json }, async bus => {
    const tree = await bus.getCorrelation(id)
    return [tree, treeText(tree)]
  })
}

export const treeText = ({ correlationId, items, truncated, notShown }: CausalTree): string => {
  if (items.length === 0) return `Nothing has the correlation id ${correlationId}.`
  if (!truncated) return table(items, treeColumns)
  const rest = notShown.map(({ status, count }) => `${count} ${status}`).join(', ')
  return `${table(items, treeColumns)}

Only ${items.length} are shown, failed and parked ones first${rest === '' ? '' : `; not shown: ${rest}`}.
See them with: commandbus list --correlation-id ${JSON.stringify(correlationId)}`
}

const treeColumns: readonly Column<CausalNode>[] = [
  { title: 'COMMAND', value: node => `${'  '.repeat(node.depth)}${node.depth === 0 ? '' : '└ '}${cellsOf(node).id}` },
  { title: 'DOMAIN', value: node => cellsOf(node).domain },
  { title: 'TYPE', value: node => cellsOf(node).type, flexible: true },
  { title: 'STATUS', value: node => cellsOf(node).status },
  { title: 'ATTEMPTS', value: node => cellsOf(node).attempts },
  timeColumn('CREATED', node => ('at' in node ? node.at : node.createdAt)),
  { title: 'FROM', value: viaText },
  { title: 'LAST ERROR', value: node => cellsOf(node).error, flexible: true },
]

/** The cells of a node, whatever its kind. */
const cellsOf = (node: CausalNode) => {
  switch (node.kind) {
    case 'command':
    case 'operation':
      return {
        id: node.commandId,
        domain: node.domain,
        type: node.commandType,
        status: node.status,
        attempts: `${node.attempts}/${node.maxAttempts}`,
        error: node.lastErrorCode === null ? '' : `${node.lastErrorCode}: ${node.lastErrorMsg ?? ''}`,
      }
    case 'run': {
      const { completedJobs, failedJobs, roundJobs, round, totalJobs } = node
      const error = failedJobs === 0 ? '' : `${failedJobs} of ${totalJobs} files failed`
      const attempts = `${completedJobs + failedJobs}/${roundJobs} files, round ${round}`
      return { id: node.id, domain: 'run', type: node.templateName, status: node.status, attempts, error }
    }
    case 'charge':
    case 'refund': {
      const { monthly, purchased, actor } = node
      const type = `${monthly} monthly, ${purchased} purchased, by ${actor}`
      return { id: node.chargeId, domain: 'credits', type, status: node.kind.toUpperCase(), attempts: '', error: '' }
    }
  }
}

function viaText(node: CausalNode): string {
  if (node.via === 'parent') return 'retry by hand'
  if (node.via === 'causation') return 'caused by it'
  if (node.via === 'run') return node.kind === 'charge' || node.kind === 'refund' ? 'for the run' : 'job of the run'
  if (node.via === 'charge') return 'refund of the charge'
  return 'causationId' in node && node.causationId !== null ? `caused by ${node.causationId}` : ''
}
