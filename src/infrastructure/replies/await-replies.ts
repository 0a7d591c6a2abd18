import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../application/ports/log.ts'
import type { ReplyMessage, ReplyMessages } from '../../application/ports/replies.ts'
import { parseReply, type Reply } from '../../application/replies/reply.ts'
import type { AwaitReply } from '../../application/replies/request.ts'
import { DuplicateCommandError, UnavailableError } from '../../application/shared/errors.ts'
import { isMissingRelation } from '../postgres/connection/errors.ts'
import type { ReplyBell } from '../postgres/queue/reply-bell.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp, type WakeUp } from '../shared/wake-up.ts'
import { createHeads } from './heads.ts'

export interface AwaitRepliesDeps {
  readonly messages: Pick<ReplyMessages, 'head' | 'ofCommands' | 'remove'>
  readonly bell: Pick<ReplyBell, 'listen' | 'rings'>
  readonly log: Log
}

/** One request that waits. Its reply has a higher message id than `after`: it was put on the queue later. */
class Waiter {
  readonly domain: string
  readonly commandId: string
  readonly after: bigint
  readonly reply: Promise<Reply>
  resolve!: (reply: Reply) => void
  reject!: (error: Error) => void

  constructor(domain: string, commandId: string, after: bigint) {
    this.domain = domain
    this.commandId = commandId
    this.after = after
    this.reply = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // a caller that has stopped waiting does not hear of a failure
    this.reply.catch(() => {})
  }
}

/** The requests of this process whose replies come to one queue. Their reader runs while there are any. */
interface Awaited {
  readonly waiters: Map<string, Waiter>
  readonly wakeUp: WakeUp
  pauseMs: number
}

/** Without notifications the queue is read after this time, then after twice as long, and so on. */
const SHORTEST_MS = 20
const LONGEST_MS = 500
/** With more requests than this, replies of several milliseconds are taken with one statement. */
const FEW = 20
const GATHER_MS = 5

/**
 * Waits for replies by the ids of their commands. All requests of a process share one reader for each queue, which runs while
 * any of them waits. It takes only replies that are awaited here, and deletes each after it was handed over, so several
 * processes can share a queue and a process that dies loses none.
 */
export const createAwaitReplies = ({ messages, bell, log }: AwaitRepliesDeps) => {
  const queues = new Map<string, Awaited>()
  const heads = createHeads(messages.head)
  const busy = new Set<Promise<void>>()
  let closed = false

  const keep = (work: Promise<void>): void => {
    const kept = work.finally(() => busy.delete(kept))
    busy.add(kept)
  }

  const remove = async (queue: string, msgIds: readonly string[]): Promise<void> => {
    try {
      if (msgIds.length > 0) await messages.remove(queue, msgIds)
    } catch (error) {
      log.warn({ err: error, queue, msgIds }, 'replies that were handed over stay on their queue')
    }
  }

  /** Takes what has come; whether that was anything. */
  const take = async (queue: string, { waiters }: Awaited): Promise<boolean> => {
    const at = performance.now()
    let after = [...waiters.values()].reduce((least, one) => (one.after < least ? one.after : least), MAX_ID)
    for (;;) {
      const ids = [...waiters.values()].map(({ commandId }) => commandId)
      const { head, found, more } = await messages.ofCommands(queue, String(after), ids)
      heads.note(queue, head, at)
      const taken = handOver(waiters, found)
      keep(remove(queue, taken))
      if (!more) return taken.length > 0
      after = BigInt(found.at(-1)?.msgId ?? head)
    }
  }

  const follow = async (queue: string, awaited: Awaited): Promise<void> => {
    const { waiters, wakeUp } = awaited
    const leave = bell.listen(queue, wakeUp.wake)
    const backOff = createBackOff()
    while (waiters.size > 0) {
      await wakeUp.wait(bell.rings() ? LONGEST_MS : awaited.pauseMs)
      if (waiters.size > FEW) await delay(GATHER_MS)
      if (waiters.size === 0) break
      try {
        const found = await take(queue, awaited)
        awaited.pauseMs = found ? SHORTEST_MS : Math.min(awaited.pauseMs * 2, LONGEST_MS)
        backOff.reset()
      } catch (error) {
        if (!isMissingRelation(error)) log.warn({ err: error, queue }, 'replies cannot be read; trying again')
        await wakeUp.wait(backOff.next())
      }
    }
    queues.delete(queue)
    leave()
  }

  /** Adds a request, and starts the reader if it is the first. */
  const add = (queue: string, key: string, waiter: Waiter): Awaited => {
    const present = queues.get(queue)
    const awaited = present ?? { waiters: new Map(), wakeUp: createWakeUp(), pauseMs: SHORTEST_MS }
    awaited.waiters.set(key, waiter)
    awaited.pauseMs = SHORTEST_MS
    if (present === undefined) {
      queues.set(queue, awaited)
      keep(follow(queue, awaited))
    } else if (!bell.rings()) awaited.wakeUp.wake()
    return awaited
  }

  const awaitReply: AwaitReply = async (queue, domain, commandId) => {
    const after = await heads.of(queue)
    if (closed) throw closedError(domain, commandId)
    const key = `${domain} ${commandId}`
    if (queues.get(queue)?.waiters.has(key)) throw new DuplicateCommandError(domain, commandId)
    const waiter = new Waiter(domain, commandId, after)
    const { waiters, wakeUp } = add(queue, key, waiter)
    const end = (): void => {
      waiters.delete(key)
      if (waiters.size === 0) wakeUp.wake()
    }
    return { reply: waiter.reply, end }
  }

  return {
    awaitReply,
    /** Fails the requests that wait; their replies stay on their queues. */
    close: async (): Promise<void> => {
      closed = true
      for (const { waiters, wakeUp } of queues.values()) {
        for (const { domain, commandId, reject } of waiters.values()) reject(closedError(domain, commandId))
        waiters.clear()
        wakeUp.wake()
      }
      await Promise.all(busy)
    },
  }
}

/** Resolves the requests whose replies were found, and returns the ids of these messages. */
const handOver = (waiters: Map<string, Waiter>, found: readonly ReplyMessage[]): readonly string[] =>
  found.flatMap(({ msgId, body }) => {
    const reply = parseReply(body)
    const key = reply === null ? undefined : keyOf(waiters, reply)
    const waiter = key === undefined ? undefined : waiters.get(key)
    if (reply === null || key === undefined || waiter === undefined) return []
    waiters.delete(key)
    waiter.resolve(reply)
    return [msgId]
  })

/** Replies of other libraries may name no domain. */
const keyOf = (waiters: ReadonlyMap<string, Waiter>, { domain, commandId }: Reply): string | undefined =>
  domain === null ? [...waiters.keys()].find(key => key.endsWith(` ${commandId}`)) : `${domain} ${commandId}`

const MAX_ID = 9_223_372_036_854_775_807n

const closedError = (domain: string, commandId: string): UnavailableError =>
  new UnavailableError(
    `this bus was closed before the reply to command ${commandId} of domain '${domain}' came: look the command up by its id`,
  )
