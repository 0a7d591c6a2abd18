import { isRight } from 'fp-ts/lib/Either.js'
import { parseQueueName } from '../../domain/command/names.ts'
import { ReplyQueueRefusedError } from '../shared/errors.ts'
import type { Calling } from './calling.ts'

/**
 * A list of the reply queue that a caller names. An invalid name gives an empty list, and the send refuses it later. The
 * name is checked before the patterns, because matching a very long text against patterns could take minutes.
 *
 * @throws ReplyQueueRefusedError
 */
export const ownReplyQueues = ({ mayReplyTo, identity: { tenant } }: Calling, named: unknown): readonly string[] => {
  if (typeof named !== 'string' || !isRight(parseQueueName(named))) return []
  if (mayReplyTo(named, tenant)) return [named]
  throw new ReplyQueueRefusedError(
    named,
    tenant === null
      ? 'belongs to a tenant, or is not listed for callers without one; nothing was sent'
      : `is not a queue of your tenant (such as t_${tenant}__replies), or not listed for it; nothing was sent`,
  )
}

/** Counts new queues against the limits. @throws CommandBusError when there are too many */
export const admitQueues = async ({ admit, identity }: Calling, queues: readonly string[]): Promise<void> => {
  await admit([...new Set(queues)], JSON.stringify([identity.tenant, identity.subject]))
}
