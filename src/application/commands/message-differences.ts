import { isRight } from 'fp-ts/lib/Either.js'
import type { CommandKey } from '../../domain/command/events.ts'
import { parseCommandId } from '../../domain/command/names.ts'
import type { SentCommandState } from '../../domain/command/state.ts'
import type { Json } from '../../domain/json/json.ts'
import { jsonDiff } from '../../domain/json/json-diff.ts'
import { sameJson } from '../../domain/json/same-json.ts'

const MOST = 20
const LONGEST = 200

/**
 * Where a message differs from its command in the log, as JSON Pointers into the message; an empty list: it may run. A
 * missing member does not count as a difference: messages of older versions and of other senders have fewer members.
 */
export const messageDifferences = (
  body: unknown,
  { domain, commandId }: CommandKey,
  { sent, data }: SentCommandState,
): readonly string[] => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return ['']
  const said = body as { readonly [name: string]: Json | undefined }
  const differences: string[] = []
  if (!isIdOf(said.command_id, commandId)) differences.push('/command_id')
  if (isOther(said.domain, domain)) differences.push('/domain')
  if (isOther(said.command_type, sent.commandType)) differences.push('/command_type')
  if (isOther(said.correlation_id, sent.correlationId)) differences.push('/correlation_id')
  if (isOther(said.reply_to, sent.replyTo)) differences.push('/reply_to')
  if (said.data !== undefined && !sameJson(data, said.data)) {
    const changes = jsonDiff(data, said.data, '/data')
    differences.push(...changes.slice(0, MOST).map(({ path }) => path.slice(0, LONGEST).toWellFormed()))
  }
  return differences
}

/** A missing or null member is no difference. */
const isOther = (given: Json | undefined, own: string | null): boolean =>
  given !== undefined && given !== null && given !== own

const isIdOf = (given: Json | undefined, commandId: string): boolean => {
  if (given === commandId) return true
  const parsed = typeof given === 'string' ? parseCommandId(given) : null
  return parsed !== null && isRight(parsed) && parsed.right === commandId
}
