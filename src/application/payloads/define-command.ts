import { isLeft } from 'fp-ts/lib/Either.js'
import { sensitiveFault } from '../sensitive/sensitive-paths.ts'
import { InvalidInputError, InvalidPayloadError } from '../shared/errors.ts'
import { commandTypeOf, domainOf, jsonOf } from '../shared/input.ts'
import {
  type InputOf,
  type OutputOf,
  type ParsedPayload,
  type PayloadSchema,
  parsePayload,
  schemaFault,
} from './payload-schema.ts'

/** A command with its domain and payload, for `bus.sendBatch` and `bus.schedules.set`. */
export interface DefinedCommand<Input = unknown> {
  readonly domain: string
  readonly commandType: string
  readonly data: Input
}

/** What `defineCommand` takes besides the schema. */
export interface DefineCommandOptions {
  /**
   * Whether each send checks its payload, as JSON, and throws InvalidPayloadError where it does not fit. Default false: the
   * compiler checks it, and the handler.
   */
  readonly checkOnSend?: boolean
  /** As of a handler: members that only permission `reveal` shows. Handlers with this `command` declare them. */
  readonly sensitive?: readonly string[]
}

interface Definition<Output> {
  readonly domain: string
  readonly commandType: string
  readonly payload: PayloadSchema<Output>
  readonly checkOnSend: boolean
  readonly sensitive: readonly string[]
}

/** One type of command, known to its senders and its handler. */
export interface CommandDefinition<Input = unknown, Output = unknown> extends Definition<Output> {
  /**
   * A command with this payload. @throws InvalidPayloadError, with `checkOnSend`; a schema that answers with a promise can be
   * checked only by `bus.send(command, data)` and `bus.request(command, data)`
   */
  (data: Input): DefinedCommand<Input>
}

/** A definition with any type of input. */
export interface AnyCommand<Output = unknown> extends Definition<Output> {
  // never: each definition has an input of its own
  (data: never): DefinedCommand
}

/** The payload that senders of this command give. */
export type DataOf<Command> = Command extends (data: infer Input) => unknown ? Input : never

/**
 * Defines one type of command, so that the compiler checks what is sent and what its handler receives. The log keeps the
 * payload as it was sent; the handler receives it as the schema changes it. @throws InvalidInputError
 * @example
 * export const chargeCard = defineCommand('payments', 'ChargeCard', z.object({ amount: z.number().positive() }))
 *
 * await bus.send(chargeCard, { amount: 25 }, { replyTo: 'shop_replies' })
 * await bus.sendBatch('payments', [chargeCard({ amount: 1 }), { ...chargeCard({ amount: 2 }), priority: 'high' }])
 * const handler = defineHandler({ command: chargeCard, handle: ({ amount }) => cards.charge(amount) })
 */
export const defineCommand = <Schema extends PayloadSchema<unknown>>(
  domain: string,
  commandType: string,
  payload: Schema,
  options: DefineCommandOptions = {},
): CommandDefinition<InputOf<Schema>, OutputOf<Schema>> => {
  const { checkOnSend = false, sensitive = [] } = options
  const fault = schemaFault(payload)
  if (fault !== null) throw new InvalidInputError('payload', fault)
  const hidden = sensitiveFault(sensitive)
  if (hidden !== null) throw new InvalidInputError('sensitive', hidden)
  const known = { domain: domainOf(domain), commandType: commandTypeOf(commandType), payload, checkOnSend, sensitive }
  const command = (data: InputOf<Schema>): DefinedCommand<InputOf<Schema>> => {
    if (checkOnSend) demandFitNow(known, data)
    return { domain: known.domain, commandType: known.commandType, data }
  }
  return Object.assign(command, known as typeof known & { readonly payload: PayloadSchema<OutputOf<Schema>> })
}

export const isCommandDefinition = (value: unknown): value is AnyCommand =>
  typeof value === 'function' && 'commandType' in value && 'payload' in value

/** A defined command must not go to another domain than its own. @throws InvalidInputError */
export const demandDomain = (
  command: { readonly commandType: string; readonly domain?: unknown },
  domain: string,
): void => {
  if (command.domain === undefined || command.domain === domain) return
  throw new InvalidInputError('domain', `the command is of domain '${String(command.domain)}', not of '${domain}'`)
}

type Checked = Pick<AnyCommand, 'domain' | 'commandType' | 'payload'>

/** As the log will keep it: what is refused here is refused by the handler, too. */
const parsedForSend = ({ payload }: Checked, data: unknown) => parsePayload(payload, jsonOf(data), 'data')

const demandFit = (parsed: ParsedPayload<unknown>): void => {
  if (isLeft(parsed)) throw new InvalidPayloadError(parsed.left)
}

const demandFitNow = (command: Checked, data: unknown): void => {
  const parsed = parsedForSend(command, data)
  if ('_tag' in parsed) {
    demandFit(parsed)
    return
  }
  // nobody waits for its answer
  parsed.catch(() => {})
  throw new InvalidInputError(
    'data',
    `the schema of '${command.commandType}' answers with a promise: only bus.send(command, data) and bus.request(command, data) await it`,
  )
}

/** How a call that sends takes its command: by name, or as it was defined. */
export interface SendCall<Options, Answer> {
  <Command extends AnyCommand>(command: Command, data: DataOf<Command>, options?: Options): Promise<Answer>
  // last, as types like Parameters<> take the last form
  (domain: string, commandType: string, data: unknown, options?: Options): Promise<Answer>
}

type SendByName<Options, Answer> = (
  domain: string,
  commandType: string,
  data: unknown,
  options?: Options,
) => Promise<Answer>

/** The call for commands by name and for defined ones, which are checked where they say so. */
export const takingDefinitions = <Options, Answer>(send: SendByName<Options, Answer>): SendCall<Options, Answer> => {
  const sendDefined = async (command: AnyCommand, data: unknown, options: Options | undefined): Promise<Answer> => {
    if (command.checkOnSend) demandFit(await parsedForSend(command, data))
    return send(command.domain, command.commandType, data, options)
  }
  // the arguments of the first form, or those of the second
  return (first: string | AnyCommand, second: unknown, third?: unknown, fourth?: Options) =>
    isCommandDefinition(first)
      ? sendDefined(first, second, third as Options | undefined)
      : send(first, second as string, third, fourth)
}
