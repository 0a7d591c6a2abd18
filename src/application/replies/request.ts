import type { CommandToSend, SentCommand } from '../commands/send-command.ts'
import type { Ids } from '../ports/ids.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandIdOf, domainOf, optional, queueOf, replyQueueOf, wholeOf } from '../shared/input.ts'
import type { Reply, SuccessReply } from './reply.ts'
import { RequestCanceledError, RequestFailedError, RequestTimedOutError } from './request-errors.ts'

/** How long `bus.request` waits. */
export interface WaitForReply {
  /** How long to wait for the reply after the command was sent, in milliseconds: 1-2,147,483,647, default 30,000. */
  readonly timeoutMs?: number
  /** Ends the wait: the call rejects with the signal's reason. The command goes on, as after the timeout. */
  readonly signal?: AbortSignal
}

/** A reply that is awaited. */
export interface AwaitedReply {
  /** Call it when the command was sent: before that the reply, which may be that of another send with its id, stays on its queue. */
  readonly reply: () => Promise<Reply>
  /** The reply is not awaited any more: if it comes, it stays on its queue. */
  readonly end: () => void
}

/** Prepares to wait for the reply to a command that is sent afterwards. */
export type AwaitReply = (queue: string, domain: string, commandId: string) => Promise<AwaitedReply>

/** Sends a command and waits for its reply. */
export type Request = <Data>(domain: string, command: CommandToSend, wait?: WaitForReply) => Promise<SuccessReply<Data>>

export interface RequestDeps {
  readonly send: (domain: string, command: CommandToSend) => Promise<SentCommand>
  readonly awaitReply: AwaitReply
  readonly ids: Ids
  /** The queue for replies where the call names none. */
  readonly queue: string
}

const USUAL_TIMEOUT_MS = 30_000
/** The longest that a timer can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647

/** The queue for replies to the requests of a service. @throws InvalidInputError */
export const requestQueueOf = (service = 'commandbus'): string => queueOf(`${service}__requests`, 'service')

/**
 * Each reply is taken off the queue by the id of its command, so any number of processes can share one queue.
 * @throws RequestFailedError, RequestCanceledError, RequestTimedOutError; also what a send throws
 */
export const createRequest =
  ({ send, awaitReply, ids, queue }: RequestDeps): Request =>
  async <Data>(domain: string, command: CommandToSend, { timeoutMs = USUAL_TIMEOUT_MS, signal }: WaitForReply = {}) => {
    if ('client' in command && command.client !== undefined) {
      throw new InvalidInputError(
        'client',
        'a request cannot join a transaction, as its command is not sent before the commit: send it with `send`, and read its reply with `replies(queue).run`',
      )
    }
    const ms = wholeOf(timeoutMs, 'timeoutMs', 1, MAX_TIMEOUT_MS)
    const replyTo = replyQueueOf(command.replyTo ?? queue)
    const commandId = optional(command.commandId, commandIdOf) ?? ids.next()
    signal?.throwIfAborted()
    const awaited = await awaitReply(replyTo, domainOf(domain), commandId)
    try {
      await send(domain, { ...command, commandId, replyTo })
      const late = () => new RequestTimedOutError(domain, commandId, replyTo, ms)
      return successOf<Data>(domain, await within(awaited.reply(), ms, late, signal))
    } finally {
      awaited.end()
    }
  }

const successOf = <Data>(domain: string, reply: Reply): SuccessReply<Data> => {
  switch (reply.outcome) {
    case 'SUCCESS':
      return reply as SuccessReply<Data>
    case 'FAILED':
      throw new RequestFailedError(domain, reply)
    case 'CANCELED':
      throw new RequestCanceledError(domain, reply)
  }
}

const within = async (reply: Promise<Reply>, ms: number, late: () => Error, signal?: AbortSignal): Promise<Reply> => {
  let stop = (): void => {}
  const over = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), ms)
    const aborted = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', aborted)
    stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
    if (signal?.aborted) aborted()
  })
  try {
    return await Promise.race([reply, over])
  } finally {
    stop()
  }
}
