import { type Command, Option } from 'commander'
import { troubleshootingFilterOf as checked } from '../../../application/commands/read-commands.ts'
import {
  type CommandFilter,
  commandSorts,
  parkedSorts,
  type TroubleshootingFilter,
} from '../../../application/ports/reading/command-queries.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import {
  commandTypeOf,
  correlationIdOf,
  domainOf,
  instantOf,
  limitOf,
  oneOf,
  statusOf,
  textOf,
} from '../../../application/shared/input.ts'
import { parkedConditions } from '../../../domain/command/parking.ts'
import { parsePayloadCondition } from '../../../domain/json/payload-path.ts'

export interface CommandFilterOptions {
  readonly domain?: string
  readonly status?: string
  readonly type?: string
  readonly errorCode?: string
  readonly correlationId?: string
  readonly createdAfter?: string
  readonly createdBefore?: string
  readonly scheduled?: true
  readonly retrying?: true
  readonly dataWhere?: string
  readonly idPrefix?: string
  readonly message?: string
  readonly sort?: string
  readonly limit?: number
  readonly cursor?: string
}

export interface TroubleshootingFilterOptions {
  readonly sort?: string
  readonly limit?: number
  readonly cursor?: string
}

type Parsers<Filter> = {
  readonly [K in keyof Filter]?: readonly [option: string, parse: (value: unknown) => Filter[K]]
}

const shared = {
  domain: ['domain', domainOf],
  commandType: ['type', commandTypeOf],
  errorCode: ['errorCode', value => textOf(value, 'errorCode', 200)],
  limit: ['limit', limitOf],
  cursor: ['cursor', value => textOf(value, 'cursor', 500)],
} satisfies Parsers<CommandFilter & TroubleshootingFilter>

/** The options as the library takes them, checked before anything is connected. @throws InvalidInputError */
const filterWith =
  <Filter extends object>(parsers: Parsers<Filter>) =>
  (options: object): Filter =>
    Object.fromEntries(
      Object.entries<readonly [string, (value: unknown) => unknown] | undefined>(parsers).flatMap(([field, entry]) => {
        const value: unknown = entry === undefined ? undefined : Reflect.get(options, entry[0])
        return entry === undefined || value === undefined ? [] : [[field, entry[1](value)]]
      }),
    ) as Filter

function payloadOf(value: unknown) {
  const condition = parsePayloadCondition(textOf(value, '--data-where', 10_000), '=')
  if (condition !== null) return condition
  throw new InvalidInputError(
    '--data-where',
    "must be a path and a value, such as orderId=ORD-30021 ('*' is any declared path)",
  )
}

export const commandFilterOf: (options: CommandFilterOptions) => CommandFilter = filterWith<CommandFilter>({
  ...shared,
  status: ['status', value => statusOf(String(value).toUpperCase())],
  correlationId: ['correlationId', correlationIdOf],
  createdAfter: ['createdAfter', value => instantOf(value, 'createdAfter')],
  createdBefore: ['createdBefore', value => instantOf(value, 'createdBefore')],
  scheduled: ['scheduled', value => value === true],
  retrying: ['retrying', value => value === true],
  payload: ['dataWhere', payloadOf],
  idPrefix: ['idPrefix', value => textOf(value, '--id-prefix', 36)],
  message: ['message', value => textOf(value, '--message', 200)],
  sort: ['sort', value => oneOf(commandSorts, value, '--sort')],
})

/** Gives a command the flags of a list of parked commands. */
export const parkedFlags = (command: Command): Command =>
  parkedConditions.reduce((on, [, { flag, about = '' }]) => (flag === undefined ? on : on.option(flag, about)), command)

/** What those flags say. @throws InvalidInputError */
export const troubleshootingFilterOf = (options: TroubleshootingFilterOptions): TroubleshootingFilter =>
  checked({
    ...Object.fromEntries(
      parkedConditions.flatMap(([name, { flag, kind }]) => {
        const text = flag === undefined ? undefined : Reflect.get(options, new Option(flag).attributeName())
        return text === undefined ? [] : [[name, kind === 'boolean' ? (booleans[String(text)] ?? text) : text]]
      }),
    ),
    ...(options.sort === undefined ? {} : { sort: oneOf(parkedSorts, options.sort, '--sort') }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
  })

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false }
