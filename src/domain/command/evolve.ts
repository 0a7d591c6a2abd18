import type { CommandEvent } from './events.ts'
import type { CommandFacts, CommandState, SentCommandState } from './state.ts'

const factsOf = (state: SentCommandState): CommandFacts => ({
  commandType: state.commandType,
  correlationId: state.correlationId,
  causationId: state.causationId,
  replyTo: state.replyTo,
  tenantId: state.tenantId,
  ownerId: state.ownerId,
  parentCommandId: state.parentCommandId,
  retryCount: state.retryCount,
  policy: state.policy,
  traceparent: state.traceparent,
  sentAt: state.sentAt,
  data: state.data,
  dataRevision: state.dataRevision,
  attempts: state.attempts,
  attemptOffset: state.attemptOffset,
  totalAttempts: state.totalAttempts,
  lastError: state.lastError,
  retiredMsgId: state.retiredMsgId,
  revision: state.revision + 1,
})

/** The state after one more event. Total: an event in the log happened, whatever we think of it. */
export const evolve = (state: CommandState, event: CommandEvent): CommandState => {
  if (event.type === 'CommandSent') {
    return {
      status: 'PENDING',
      retryAt: null,
      commandType: event.commandType,
      correlationId: event.correlationId,
      causationId: event.causationId,
      replyTo: event.replyTo,
      tenantId: event.tenantId,
      ownerId: event.ownerId,
      parentCommandId: event.parentCommandId,
      retryCount: event.retryCount,
      policy: event.policy,
      traceparent: event.traceparent,
      sentAt: event.at,
      data: event.data,
      dataRevision: 0,
      attempts: 0,
      attemptOffset: 0,
      totalAttempts: 0,
      lastError: null,
      retiredMsgId: null,
      revision: 0,
    }
  }
  if (state.status === 'NONE') return state
  const facts = factsOf(state)
  switch (event.type) {
    case 'CommandReceived':
      return {
        ...facts,
        status: 'IN_PROGRESS',
        attempts: event.attempt,
        totalAttempts: event.total,
        workerId: event.actor,
        msgId: event.msgId,
        leaseExpiresAt: event.leaseExpiresAt,
      }
    case 'CommandFailed':
      return { ...facts, status: 'PENDING', lastError: event.error, retryAt: event.retryAt }
    case 'CommandMovedToTroubleshooting':
      return {
        ...facts,
        status: 'IN_TROUBLESHOOTING_QUEUE',
        attempts: event.attempt,
        lastError: event.error,
        reason: event.reason,
        archivedMsgId: event.msgId,
        parkedAt: event.at,
      }
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
      return { ...facts, status: 'FAILED', lastError: event.error, finishedBy: event.actor }
    case 'CommandCompleted':
      return {
        ...facts,
        status: 'COMPLETED',
        attempts: event.attempt,
        totalAttempts: event.receipt?.total ?? facts.totalAttempts,
        result: event.result,
        finishedBy: event.actor,
      }
    case 'CommandCanceled':
    case 'OperatorCanceled':
      return { ...facts, status: 'CANCELED', reason: event.reason }
    case 'OperatorRetried':
      return {
        ...facts,
        status: 'PENDING',
        retryAt: null,
        attempts: event.attempts,
        attemptOffset: event.attempts,
        retiredMsgId: event.archivedMsgId,
        dataRevision: event.dataRevision,
        ...(event.data === undefined ? {} : { data: event.data }),
      }
    case 'OperatorCompleted':
      return { ...facts, status: 'COMPLETED', result: event.resultData, finishedBy: event.actor }
  }
}
