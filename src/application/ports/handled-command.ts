import type { CommandKey, CommandSent } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'

/** The command that a handler receives. */
export interface HandledCommand<Payload = Json> {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  readonly data: Payload
  readonly correlationId: string
  readonly causationId: string | null
  readonly replyTo: string | null
  readonly tenantId: string | null
  readonly ownerId: string | null
  readonly createdAt: string
}

export const handledCommand = <Payload>(
  { domain, commandId }: CommandKey,
  { commandType, correlationId, causationId, replyTo, tenantId, ownerId, at: createdAt }: CommandSent,
  data: Payload,
): HandledCommand<Payload> => ({
  domain,
  commandId,
  commandType,
  data,
  correlationId,
  causationId,
  replyTo,
  tenantId,
  ownerId,
  createdAt,
})
