import { type CommandEvent, EXPIRED } from './events.ts'
import { careOf, noCare, parkingOf } from './parking.ts'
import type { CommandState } from './state.ts'
import { isParking } from './transitions.ts'

/**
 * The state after one more event. Total: what is in the log has happened.
 *
 * Every state is one literal with the same names in the same order. Spreading the old state would be shorter, but a hundred
 * times slower, and every command is folded.
 */
export const evolve = (state: CommandState, event: CommandEvent): CommandState => {
  if (event.type === 'CommandSent') {
    return {
      status: 'PENDING',
      sent: event,
      data: event.data,
      runAt: event.runAt ?? null,
      dataRevision: 0,
      attempts: 0,
      attemptOffset: event.adopted?.reads ?? 0,
      totalAttempts: 0,
      lastError: null,
      retiredMsgIds: [],
      care: noCare,
      lastNote: null,
      revision: 0,
      retryAt: null,
      dueAt: event.runAt ?? event.at,
    }
  }
  if (state.status === 'NONE') return state
  const {
    sent,
    data,
    runAt,
    dataRevision,
    attempts,
    attemptOffset,
    totalAttempts,
    lastError,
    retiredMsgIds,
    care,
    lastNote,
  } = state
  const revision = state.revision + 1
  if (isParking(event)) {
    // an event without a message of its own leaves the command parked as it was
    const parks = 'msgId' in event
    const before = state.status === 'IN_TROUBLESHOOTING_QUEUE' ? state : null
    return {
      status: 'IN_TROUBLESHOOTING_QUEUE',
      sent,
      data,
      runAt,
      dataRevision,
      attempts: parks ? event.attempt : attempts,
      attemptOffset,
      totalAttempts,
      lastError: parks ? event.error : lastError,
      retiredMsgIds,
      care: parks ? care : { ...care, ...careOf(event) },
      lastNote: event.type === 'OperatorNoted' ? { actor: event.actor, text: event.text } : lastNote,
      revision,
      parking: parkingOf(event),
      archivedMsgId: parks ? event.msgId : (before?.archivedMsgId ?? ''),
      parkedBy: parks ? revision : (before?.parkedBy ?? revision),
    }
  }
  switch (event.type) {
    case 'CommandReceived':
      return {
        status: 'IN_PROGRESS',
        sent,
        data,
        runAt,
        dataRevision,
        attempts: event.attempt,
        attemptOffset,
        totalAttempts: event.total,
        lastError,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        workerId: event.actor,
        msgId: event.msgId,
        leaseExpiresAt: event.leaseExpiresAt,
      }
    case 'CommandFailed':
      return {
        status: 'PENDING',
        sent,
        data,
        runAt,
        dataRevision,
        attempts: event.uncounted === true ? event.attempt - 1 : attempts,
        attemptOffset,
        totalAttempts,
        lastError: event.error,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        retryAt: event.retryAt,
        dueAt: event.retryAt,
      }
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
      return {
        status: 'FAILED',
        sent,
        data,
        runAt,
        dataRevision,
        attempts,
        attemptOffset,
        totalAttempts,
        lastError: event.error,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        finishedBy: event.actor,
      }
    case 'CommandCompleted':
    case 'OperatorCompleted': {
      const byWorker = event.type === 'CommandCompleted'
      return {
        status: 'COMPLETED',
        sent,
        data,
        runAt,
        dataRevision,
        attempts: byWorker ? event.attempt : attempts,
        attemptOffset,
        totalAttempts: (byWorker ? event.receipt?.total : undefined) ?? totalAttempts,
        lastError,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        result: byWorker ? event.result : event.resultData,
        finishedBy: event.actor,
      }
    }
    case 'CommandCanceled':
    case 'CommandExpired':
    case 'OperatorCanceled':
      return {
        status: 'CANCELED',
        sent,
        data,
        runAt,
        dataRevision,
        attempts,
        attemptOffset,
        totalAttempts,
        lastError,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        reason: event.type === 'CommandExpired' ? EXPIRED : event.reason,
      }
    case 'CommandRescheduled':
      return {
        status: 'PENDING',
        sent,
        data,
        runAt: event.runAt,
        dataRevision,
        attempts,
        attemptOffset,
        totalAttempts,
        lastError,
        retiredMsgIds,
        care,
        lastNote,
        revision,
        retryAt: null,
        dueAt: event.runAt,
      }
    case 'OperatorRetried':
      return {
        status: 'PENDING',
        sent,
        data: event.data === undefined ? data : event.data,
        runAt,
        dataRevision: event.dataRevision,
        attempts: event.attempts,
        attemptOffset: event.attempts,
        totalAttempts,
        lastError,
        retiredMsgIds: [...retiredMsgIds, event.archivedMsgId],
        care,
        lastNote,
        revision,
        retryAt: null,
        dueAt: event.at,
      }
  }
}
