import type { CommandEvent } from '../../../domain/command/events.ts'
import { parseCommandStream } from '../../../domain/command/names.ts'
import { defaultRetryPolicy } from '../../../domain/command/retry-policy.ts'
import type { EventContext, Recorded } from '../../../domain/recorded.ts'
import type { ArchivedStream } from './event-store.ts'

const NOWHEN = new Date(0).toISOString()
const NOBODY = 'archive'
const context: EventContext = {
  commandType: 'Archived',
  correlationId: 'archived',
  causationId: null,
  replyTo: null,
  tenantId: null,
}

/**
 * The events that stand in for a command that was moved to a file: it was sent, and it ended in this status. They are
 * enough to refuse a second command of this id and work on a stray message; its data is only in the file.
 */
export const archivedCommand = ({ stream, status, revision }: ArchivedStream): readonly Recorded<CommandEvent>[] => {
  const id = parseCommandStream(stream)?.commandId ?? stream
  const fact = { at: NOWHEN, actor: NOBODY }
  const sent: CommandEvent = {
    ...fact,
    ...context,
    type: 'CommandSent',
    data: null,
    ownerId: null,
    parentCommandId: null,
    retryCount: 0,
    policy: defaultRetryPolicy,
  }
  return [
    { stream, revision: 0, id, event: sent, context },
    { stream, revision, id, event: { ...fact, ...endOf(status) } as CommandEvent, context },
  ]
}

const endOf = (status: string) => {
  switch (status) {
    case 'COMPLETED':
      return { type: 'OperatorCompleted', resultData: null }
    case 'CANCELED':
      return { type: 'OperatorCanceled', reason: 'archived' }
    default:
      return {
        type: 'CommandExhausted',
        attempt: 1,
        msgId: '0',
        error: { type: 'PERMANENT', code: 'ARCHIVED', message: 'archived' },
      }
  }
}
