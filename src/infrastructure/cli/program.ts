import { Command, CommanderError } from 'commander'
import { addCancel } from './commands/cancel.ts'
import { addOperations } from './commands/operations.ts'
import { addReplies } from './commands/replies.ts'
import { addReschedule } from './commands/reschedule.ts'
import { addSend } from './commands/send.ts'
import { addSensitive } from './commands/sensitive.ts'
import { addStrangers } from './commands/strangers.ts'
import { addAdoptLog } from './database/adopt-log.ts'
import { addCopyLog } from './database/copy-log.ts'
import { addDoctor } from './database/doctor.ts'
import { addGrants } from './database/grants.ts'
import { addMigrate } from './database/migrate.ts'
import { addQueues } from './database/queues.ts'
import { addCodecs } from './deploying/codecs.ts'
import { addAlerts } from './flow/alerts.ts'
import { addLanes } from './flow/lanes.ts'
import { addLimits } from './flow/limits.ts'
import { addPauses } from './flow/pauses.ts'
import { addSchedules } from './flow/schedules.ts'
import { addArchive } from './investigation/archive.ts'
import { addExport } from './investigation/export.ts'
import { addReplay } from './investigation/replay.ts'
import { addVerify } from './investigation/verify.ts'
import { addCredits } from './runs/credits.ts'
import { addRuns } from './runs/runs.ts'
import { addSearch } from './search/search.ts'
import { addViews } from './search/views.ts'
import { addCompletion } from './service/completion.ts'
import { addHealthCommand } from './service/health.ts'
import { addStart } from './service/start.ts'
import { addToken } from './service/token.ts'
import { addWorker } from './service/worker.ts'
import type { CliDeps } from './support/deps.ts'
import { failureOf, Refused } from './support/failure.ts'
import { addInspect } from './support/inspect.ts'
import { Interrupted } from './support/session.ts'
import { addExamples } from './text/examples.ts'
import { jsonText, printCsv, printNote } from './text/output.ts'
import { addCauses } from './troubleshooting/causes.ts'
import { addRehearse } from './troubleshooting/rehearse.ts'
import { addTroubleshooting } from './troubleshooting/tsq.ts'
import { addStatus } from './watching/status.ts'
import { addFigures } from './watching/types.ts'
import { addWorkers } from './watching/workers.ts'

const environment = `
Environment:
  DATABASE_URL      your PostgreSQL database (default: one that is started in COMMANDBUS_HOME)
  DATABASE_TIMEOUT_MS how long PostgreSQL may take to answer a statement (default: 30000)
  DATABASE_READ_URL a replica of it, from which \`start\` reads lists and histories (default: none)
  EVENTSTORE_URL    the EventStoreDB that stores the log (default: the log is in PostgreSQL)
  EVENTSTORE_PREFIX a prefix for the names of its streams there (default: none)
  COMMANDBUS_HOME   the directory of that database and of this service's keys (default: .commandbus)
  COMMANDBUS_BUILD  the version or commit of your handlers, for the history of what they do (default: that of their package.json)
  HOST, PORT        where \`start\` listens (default: 127.0.0.1, 4000), and \`worker\` where PORT is set
  LOG_LEVEL         how much \`start\` and \`worker\` log (default: info)

Exit codes: 0 done, 1 refused or failed, 2 invalid command line.`

/** The commands as their help lists them. */
const groups: readonly (readonly [heading: string, adders: readonly ((program: Command, deps: CliDeps) => void)[]])[] =
  [
    [
      'Run',
      [addStart, addWorker, addStatus, addWorkers, addFigures, addDoctor, addHealthCommand, addToken, addCompletion],
    ],
    [
      'Commands',
      [addSend, addInspect, addSearch, addViews, addCancel, addReschedule, addReplies, addOperations, addSensitive],
    ],
    ['Troubleshooting', [addTroubleshooting, addCauses, addAlerts, addRehearse, addCodecs, addStrangers]],
    ['Flow', [addLanes, addLimits, addSchedules, addPauses]],
    ['Workflow runs', [addRuns, addCredits]],
    ['Investigation and proof', [addReplay, addVerify, addExport, addArchive]],
    ['Database', [addMigrate, addGrants, addQueues, addCopyLog, addAdoptLog]],
  ]

/** Gives every list that prints JSON the option `--csv`. */
const addCsv = (program: Command): void => {
  const isList = (command: Command): boolean =>
    command.options.some(({ long }) => long === '--json') &&
    (command.options.some(({ long }) => long === '--cursor') || command.description().startsWith('list '))
  const commands = (of: Command): readonly Command[] => of.commands.flatMap(one => [one, ...commands(one)])
  for (const list of commands(program).filter(isList)) list.option('--csv', 'print CSV')
  program.hook('preAction', (_, command) => {
    const { csv } = command.opts<{ readonly csv?: true }>()
    printCsv(csv === true)
    if (csv === true) command.setOptionValue('json', true)
  })
}

/** The whole command line, for one run. */
export const buildProgram = (given: CliDeps): Command => {
  const program = new Command('commandbus')
    .description('An event-sourced command bus on PostgreSQL and pgmq')
    .version(given.version)
    .option('--reveal', 'show the members of payloads and results that are declared sensitive')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(true)
    .addHelpText('after', environment)
  const deps: CliDeps = { ...given, reveal: () => program.opts().reveal === true }
  for (const [heading, adders] of groups) {
    program.commandsGroup(`${heading}:`)
    for (const add of adders) add(program, deps)
  }
  addExamples(program)
  addCsv(program)
  return program
}

/** Runs one command line (without node and the script) and returns the exit code. A failure is explained on standard error. */
export const runCli = async (deps: CliDeps, args: readonly string[]): Promise<number> => {
  const program = buildProgram(deps)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Refused) return 1
    if (error instanceof Interrupted) return error.exitCode
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.stderr.write(namedBy(program, args).helpInformation())
      return 2
    }
    const { exitCode, code, message: fault } = failureOf(error)
    const message =
      error instanceof CommanderError ? `${fault.replace(/\.$/, '')}. ${usageOf(namedBy(program, args))}` : fault
    if (args.includes('--json')) process.stderr.write(`${jsonText({ error: { code, message } })}\n`)
    else printNote(`commandbus: ${message}`)
    return exitCode
  }
}

/** The command or group that the arguments name, as far as there is one. */
const namedBy = (program: Command, args: readonly string[]): Command =>
  args.reduce((command, name) => command.commands.find(one => one.name() === name) ?? command, program)

const usageOf = (command: Command): string => {
  const names = (one: Command): readonly string[] => [...(one.parent === null ? [] : names(one.parent)), one.name()]
  const name = names(command).join(' ')
  return `Usage: ${name} ${command.usage()}; ${name} --help explains it`
}
