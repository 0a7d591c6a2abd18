import type { Log } from '../../application/ports/log.ts'
import type { ReplyMessage, ReplyMessages } from '../../application/ports/replies.ts'
import type { ReaderSettings, ReplyHandler, RunningReader } from '../../application/replies/read-replies.ts'
import { parseReply, type Reply } from '../../application/replies/reply.ts'
import { CommandBusError } from '../../application/shared/errors.ts'
import { wholeOf } from '../../application/shared/input.ts'
import { isMissingRelation } from '../postgres/connection/errors.ts'
import type { ReplyBell } from '../postgres/queue/reply-bell.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import { endsWithin } from '../shared/within.ts'
import { createRemovals } from './removals.ts'

export interface ReaderDeps {
  readonly messages: ReplyMessages
  readonly bell: Pick<ReplyBell, 'listen'>
  /** Makes the queue again, after it was dropped. */
  readonly ensure: (queue: string) => Promise<void>
  readonly log: Log
}

const USUAL_DEADLINE_MS = 30_000
const MAX_DEADLINE_MS = 2_147_483_647
/** A message is hidden again when a third of its time has passed. */
const EXTENSIONS = 3

/** Reads one queue and runs the handler on its replies until it is stopped. */
export const runReader = (
  { messages, bell, ensure, log }: ReaderDeps,
  queue: string,
  handler: ReplyHandler,
  { concurrency, hiddenMs, pollMs, filter, waitMs, onError, signal }: ReaderSettings,
): RunningReader => {
  const removals = createRemovals(msgIds => messages.remove(queue, msgIds))
  const running = new Map<ReplyMessage, Promise<void>>()
  const handlers = new AbortController()
  const wakeUp = createWakeUp()
  let stopping = false

  const report = (error: unknown, reply: Reply | null, message: string): void => {
    if (onError === undefined) {
      log.warn({ err: error, queue, ...(reply === null ? {} : { commandId: reply.commandId }) }, message)
      return
    }
    try {
      onError(error, reply)
    } catch (thrown) {
      log.warn({ err: thrown, queue }, 'onError of a reader of replies has thrown')
    }
  }

  const handle = async (message: ReplyMessage): Promise<void> => {
    const { msgId, delivery, enqueuedAt, body } = message
    const reply = parseReply(body)
    if (reply === null) {
      await messages.archive(queue, [msgId])
      report(new NotAReplyError(queue, msgId), null, 'a message that is not a reply was archived')
      return
    }
    try {
      await handler(reply, { msgId, delivery, enqueuedAt, signal: handlers.signal })
    } catch (error) {
      report(error, reply, 'the handler of a reply has failed; the reply comes again')
      await messages.hide(queue, [{ msgId, delivery, ms: waitMs(delivery) }])
      return
    }
    await removals.add(msgId)
  }

  const begin = (message: ReplyMessage): void => {
    const handled = handle(message)
      .catch(error => report(error, null, 'a reply could not be settled; it comes again'))
      .finally(() => {
        running.delete(message)
        wakeUp.wake()
      })
    running.set(message, handled)
  }

  const extend = (): void => {
    const hidden = [...running.keys()].map(message => ({ ...message, ms: hiddenMs }))
    messages
      .hide(queue, hidden)
      .catch(error => log.warn({ err: error, queue }, 'replies could not be hidden for longer'))
  }

  const read = async (): Promise<void> => {
    const backOff = createBackOff()
    while (!stopping) {
      const free = concurrency - running.size
      try {
        const found = free > 0 ? await messages.read(queue, free, hiddenMs, filter) : []
        backOff.reset()
        for (const message of found) begin(message)
        if (found.length < free || free === 0) await wakeUp.wait(pollMs)
      } catch (error) {
        report(error, null, 'replies cannot be read; trying again')
        if (isMissingRelation(error)) await ensure(queue).catch(() => {})
        await wakeUp.wait(backOff.next())
      }
    }
  }

  const leave = bell.listen(queue, wakeUp.wake)
  const extending = setInterval(extend, hiddenMs / EXTENSIONS)
  const reading = read()
  const drain = async (deadlineMs: number): Promise<void> => {
    stopping = true
    wakeUp.wake()
    leave()
    await reading
    if (!(await endsWithin(deadlineMs, () => Promise.all(running.values())))) {
      clearInterval(extending)
      handlers.abort(new Error('the reader of replies was stopped'))
      await messages.hide(
        queue,
        [...running.keys()].map(message => ({ ...message, ms: 0 })),
      )
    }
    clearInterval(extending)
  }

  let stopped: Promise<void> | null = null
  let ended: () => void = () => {}
  const end = new Promise<void>(resolve => {
    ended = resolve
  })
  const stop: RunningReader['stop'] = ({ deadlineMs = USUAL_DEADLINE_MS } = {}) => {
    const ms = wholeOf(deadlineMs, 'deadlineMs', 0, MAX_DEADLINE_MS)
    stopped ??= drain(ms)
      .catch(error => log.warn({ err: error, queue }, 'replies come again after their visibility timeout'))
      .then(ended)
    return stopped
  }
  const onAbort = (): void => void stop()
  signal?.addEventListener('abort', onAbort)
  void end.then(() => signal?.removeEventListener('abort', onAbort))
  if (signal?.aborted) onAbort()
  return { stop, ended: end }
}

/** A message of a reply queue that is not a reply of this bus. It is in the queue's archive now. */
class NotAReplyError extends CommandBusError {
  constructor(queue: string, msgId: string) {
    super(
      'NOT_A_REPLY',
      `message ${msgId} on queue '${queue}' is not a reply of this bus: it is in the queue's archive now`,
    )
  }
}
