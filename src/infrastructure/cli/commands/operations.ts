import type { Command } from 'commander'
import type { Operation } from '../../../application/operations/operation-view.ts'
import type { OperationFilter, OperationUser } from '../../../application/operations/operations.ts'
import { commandIdOf, commandTypeOf, oneOf, pagingOf, textOf } from '../../../application/shared/input.ts'
import { type OperationStatus, operationStatuses } from '../../../domain/operation/status.ts'
import { allPages, printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { numberOf, readJson, systemUser } from '../support/input.ts'
import { type Column, fields, pretty, timeColumn, when } from '../text/output.ts'

interface OwnedOptions {
  readonly owner?: string
  readonly tenant?: string
  readonly json?: true
}

interface StartOptions extends OwnedOptions {
  readonly data: string
  readonly session?: string
  readonly message?: string
}

interface ListOptions extends OwnedOptions {
  readonly status?: string
  readonly limit?: number
  readonly cursor?: string
}

/** `operations`: work that belongs to a user, retried automatically and then by hand. */
export const addOperations = (program: Command, deps: CliDeps): void => {
  const operations = program.command('operations').description("start, watch and retry a user's operations")

  owned(operations.command('start').description('start an operation'))
    .argument('<type>', 'the type of the operation, like question_generation')
    .requiredOption('--data <json>', 'its parameters: JSON, @file or - for standard input')
    .option('--session <id>', 'the session it belongs to, up to 128 characters')
    .option('--message <id>', 'the message it belongs to, up to 128 characters')
    .action(async (type: string, options: StartOptions) => {
      const user = userOf(options)
      const start = {
        operation_type: commandTypeOf(type),
        session_id: options.session === undefined ? null : textOf(options.session, 'session', 128),
        message_id: options.message === undefined ? null : textOf(options.message, 'message', 128),
        parameters: await readJson('--data', options.data),
      }
      await printAnswer(deps, options, async bus => {
        const operation = await bus.operations.start(user, start)
        return [operation, `Started ${operation.operation_type}: operation ${operation.id} is ${operation.status}.`]
      })
    })

  owned(operations.command('show').description('show an operation, and what to do when it failed'))
    .argument('<id>', 'the id of the operation')
    .action(async (given: string, options: OwnedOptions) => {
      const user = userOf(options)
      const id = commandIdOf(given, 'id')
      await printAnswer(deps, options, async bus => {
        const operation = await bus.operations.get(user, id)
        return [operation, details(operation)]
      })
    })

  owned(operations.command('list').description("list the owner's operations, newest first"))
    .option('--status <status>', operationStatuses.join(', '))
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'continue after the previous page')
    .option(...allPages)
    .action(async (options: ListOptions) => {
      const user = userOf(options)
      const filter = filterOf(options)
      await printPage(
        deps,
        options,
        (bus, from) => bus.operations.list(user, { ...filter, ...from }),
        columns,
        'No operations.',
      )
    })

  owned(
    operations.command('retry').description('retry a failed operation as a new one; a second retry gives the same one'),
  )
    .argument('<id>', 'the id of the failed operation')
    .action(async (given: string, options: OwnedOptions) => {
      const user = userOf(options)
      const id = commandIdOf(given, 'id')
      await printAnswer(deps, options, async bus => {
        const child = await bus.operations.retry(user, id)
        return [child, `Operation ${id} is retried by operation ${child.id}, which is ${child.status}.`]
      })
    })
}

const owned = (command: Command): Command =>
  command
    .option('--owner <who>', 'who owns it (default: your user name)')
    .option('--tenant <tenant>', "the owner's tenant")
    .option('--json', 'print JSON')

const userOf = ({ owner, tenant }: OwnedOptions): OperationUser => {
  const subject = owner ?? systemUser()
  if (subject === undefined) throw new UsageError('name the owner with --owner: this account has no user name')
  return {
    subject: textOf(subject, 'owner', 128),
    tenant: tenant === undefined ? null : textOf(tenant, 'tenant', 128),
  }
}

const filterOf = ({ status, ...page }: ListOptions): OperationFilter => ({
  ...(status === undefined ? {} : { status: statusOf(status) }),
  ...pagingOf(page),
})

const statusOf = (given: string): OperationStatus => oneOf(operationStatuses, given.toLowerCase(), 'status')

const columns: readonly Column<Operation>[] = [
  { title: 'OPERATION', value: operation => operation.id },
  { title: 'TYPE', value: operation => operation.operation_type, flexible: true },
  { title: 'STATUS', value: operation => operation.status },
  { title: 'RETRIES', value: operation => String(operation.retry_count) },
  timeColumn('CREATED', operation => operation.created_at),
  { title: 'ERROR', value: operation => operation.error_message, flexible: true },
]

const details = (operation: Operation): string => {
  const [happened, next] = operation.error_message?.split('What to do:') ?? []
  return [
    fields([
      ['Operation', operation.id],
      ['Type', operation.operation_type],
      ['Status', operation.status],
      ['Error', happened?.trim()],
      ['What to do', next?.trim()],
      ['May be retried', operation.status === 'failed' ? (operation.retriable ? 'yes' : 'no') : ''],
      ['Retry of', operation.parent_operation_id],
      ['Retries so far', operation.retry_count === 0 ? '' : String(operation.retry_count)],
      ['Session', operation.session_id],
      ['Message', operation.message_id],
      ['Created', when(operation.created_at)],
      ['Updated', when(operation.updated_at)],
    ]),
    ...(operation.result === null ? [] : [`Result\n${pretty(operation.result)}`]),
  ].join('\n\n')
}
