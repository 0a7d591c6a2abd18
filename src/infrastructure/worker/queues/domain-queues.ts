import { type Delivery, messageKey, type Queue } from '../../../application/ports/queue.ts'
import { commandQueue } from '../../../domain/command/names.ts'
import { otherPriorities, type Priority } from '../../../domain/flow/priority.ts'
import { isMissingRelation } from '../../postgres/connection/errors.ts'
import { readOrder } from './read-order.ts'

/** How often queues that did not exist are looked up; most are found at once, when somebody puts a message on them. */
const LOOK_MS = 5_000

export interface DomainQueues extends Queue {
  /** This queue has got messages, so it exists. */
  readonly found: (queue: string) => void
}

/**
 * The queues of one domain's commands, one for each priority, as one queue under the name of the normal one. Messages are named by
 * their keys (`messageKey`). Only queues that exist are read: a domain that never used priorities has one queue, and is read by
 * one statement.
 */
export const createDomainQueues = (
  queue: Queue,
  domain: string,
  monotonic: () => number = () => performance.now(),
): DomainQueues => {
  const names = new Map<string, Priority>(otherPriorities.map(priority => [commandQueue(domain, priority), priority]))
  /** Priorities whose queue exists. */
  const there = new Set<Priority>(['normal'])
  let reads = 0
  let lookAt = 0

  const found = (name: string): void => {
    const priority = names.get(name)
    if (priority !== undefined) there.add(priority)
  }

  const look = async (): Promise<void> => {
    if (there.size > names.size || monotonic() < lookAt) return
    lookAt = monotonic() + LOOK_MS
    for (const name of await queue.existing([...names.keys()])) found(name)
  }

  /** One of the other queues may have been dropped by hand: it is made again by the next send. */
  const unlessGone = async <A>(priority: Priority, none: A, work: (name: string) => Promise<A>): Promise<A> => {
    try {
      return await work(commandQueue(domain, priority))
    } catch (error) {
      if (priority === 'normal' || !isMissingRelation(error)) throw error
      there.delete(priority)
      return none
    }
  }

  const readInOrder = async (order: readonly Priority[], quantity: number, leaseMs: number): Promise<Delivery[]> => {
    const all: Delivery[] = []
    for (const priority of order) {
      if (all.length >= quantity) break
      if (!there.has(priority)) continue
      try {
        all.push(...(await unlessGone(priority, [], name => queue.read(name, quantity - all.length, leaseMs))))
      } catch (error) {
        if (all.length === 0) throw error
        // what has been read is worked on; the next round meets the fault again
        break
      }
    }
    return all
  }

  return {
    ...queue,
    found,
    read: async (_, quantity, leaseMs) => {
      await look()
      if (there.size === 1) return queue.read(commandQueue(domain), quantity, leaseMs)
      const all = await readInOrder(readOrder(reads), quantity, leaseMs)
      if (all.length > 0) reads++
      return all
    },
    nextVisibleIn: async () => {
      const waits = await Promise.all([...there].map(priority => unlessGone(priority, null, queue.nextVisibleIn)))
      const known = waits.filter(wait => wait !== null)
      return known.length === 0 ? null : Math.min(...known)
    },
    archive: async (name, keys) => {
      for (const [of, msgIds] of byQueue(keys, key => key, name)) await queue.archive(of, msgIds.map(msgIdIn))
    },
    keepStrangers: async (name, strangers) => {
      for (const [of, some] of byQueue([...strangers], ([key]) => key, name)) {
        await queue.keepStrangers(of, new Map(some.map(([key, why]) => [msgIdIn(key), why])))
      }
    },
    extend: async (name, tags, leaseMs) => {
      if (tags.length === 0) return queue.extend(name, tags, leaseMs)
      const held = await Promise.all(
        [...byQueue(tags, messageKey, name)].map(async ([of, some]) =>
          (await queue.extend(of, some, leaseMs)).map(msgId => messageKey({ queue: of, msgId })),
        ),
      )
      return held.flat()
    },
    handBack: async (name, tags, options) => {
      for (const [of, some] of byQueue(tags, messageKey, name)) await queue.handBack(of, some, options)
    },
    begin: async (name, messages) => {
      const mayBegin = new Set<string>()
      for (const [of, some] of byQueue(messages, messageKey, name)) {
        for (const msgId of await queue.begin(of, some)) mayBegin.add(messageKey({ queue: of, msgId }))
      }
      return mayBegin
    },
    putAside: async (name, tags, pauses) => {
      for (const [of, some] of byQueue(tags, messageKey, name)) {
        await queue.putAside(of, some, new Map(some.map(tag => [tag.msgId, pauses.get(messageKey(tag)) as string])))
      }
    },
    ownersOf: async (name, keys, named) => {
      const owners = new Map<string, string>()
      for (const [of, some] of byQueue(keys, key => key, name)) {
        for (const [msgId, commandId] of await queue.ownersOf(of, some.map(msgIdIn), named)) {
          owners.set(messageKey({ queue: of, msgId }), commandId)
        }
      }
      return owners
    },
  }
}

const msgIdIn = (key: string): string => key.split(' ', 1)[0] as string

/** Sorted by the queue that each key names; `normal` where it names none. */
const byQueue = <A>(
  all: readonly A[],
  keyOf: (one: A) => string,
  normal: string,
): ReadonlyMap<string, readonly A[]> => {
  const sorted = new Map<string, A[]>()
  for (const one of all) {
    const [, queue = normal] = keyOf(one).split(' ')
    const some = sorted.get(queue)
    if (some === undefined) sorted.set(queue, [one])
    else some.push(one)
  }
  return sorted
}
