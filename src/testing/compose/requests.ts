import type { CommandToSend, SentCommand } from '../../application/commands/send-command.ts'
import type { Ids } from '../../application/ports/ids.ts'
import { parseReply } from '../../application/replies/reply.ts'
import { type AwaitReply, createRequest, type Request } from '../../application/replies/request.ts'
import { RequestTimedOutError } from '../../application/replies/request-errors.ts'
import type { Queues } from '../memory/queues.ts'
import type { TestClock } from '../memory/test-clock.ts'
import type { Bell } from '../running/bell.ts'
import type { Engine } from '../running/engine.ts'

export interface RequestsDeps {
  readonly queues: Queues
  readonly clock: TestClock
  readonly engine: Engine
  readonly bell: Bell
  readonly ids: Ids
  readonly send: (domain: string, command: CommandToSend) => Promise<SentCommand>
  /** The queue for replies where the call names none. */
  readonly queue: string
}

const USUAL_TIMEOUT_MS = 30_000

/**
 * A request runs the bus until its reply is there. It moves the clock as far as retries need that, at most to its timeout. One that
 * a handler makes only waits: what runs the handler goes on.
 */
export const createRequests = ({ queues, clock, engine, bell, ids, send, queue: usual }: RequestsDeps): Request => {
  const taken = (queue: string, domain: string, commandId: string) => {
    for (const { msgId, text } of queues.messages(queue)) {
      const reply = parseReply(JSON.parse(text))
      if (reply?.commandId !== commandId || (reply.domain ?? domain) !== domain) continue
      queues.remove(queue, msgId)
      return reply
    }
    return null
  }

  const awaitWithin =
    (timeoutMs: number): AwaitReply =>
    async (queue, domain, commandId) => {
      const isNested = engine.isRunning()
      let isOver = false
      return {
        reply: async () => {
          const end = clock.ms() + timeoutMs
          for (;;) {
            const changed = bell.changed()
            if (!isNested) await engine.runUntilIdle()
            const reply = taken(queue, domain, commandId)
            if (reply !== null) return reply
            if (isOver || clock.ms() >= end) throw new RequestTimedOutError(domain, commandId, queue, timeoutMs)
            if (isNested) await changed
            else engine.moveTo((await engine.nextDue(end)) ?? end)
          }
        },
        end: () => {
          isOver = true
        },
      }
    }

  return (domain, command, wait = {}) =>
    createRequest({ send, ids, queue: usual, awaitReply: awaitWithin(wait.timeoutMs ?? USUAL_TIMEOUT_MS) })(
      domain,
      command,
      wait,
    )
}
