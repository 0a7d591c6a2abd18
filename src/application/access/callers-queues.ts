import { isRight } from 'fp-ts/lib/Either.js'
import { parseQueueName } from '../../domain/command/names.ts'
import { ReplyQueueRefusedError } from '../shared/errors.ts'
import type { Calling } from './calling.ts'

/**
 * The reply queue that a caller names, in a list. What is not a queue's name gives an empty list: it is refused when the
 * command is sent. The name is checked first, because matching a very long text against patterns could take minutes.
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

/** Counts queues that are new against the limits. @throws CommandBusError when there are too many */
export const admitQueues = async ({ admit, identity }: Calling, queues: readonly string[]): Promise<void> => {
  await admit([...new Set(queues)], JSON.stringify([identity.tenant, identity.subject]))
}
