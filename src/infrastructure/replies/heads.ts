import type { ReplyMessages } from '../../application/ports/replies.ts'
import { BoundedMap } from '../../application/shared/bounded-map.ts'
import { isMissingRelation } from '../postgres/connection/errors.ts'

/** A head that is too low costs time only: the reader then passes over replies of others. */
const FRESH_MS = 10_000
const REMEMBERED_QUEUES = 1_000

interface Head {
  readonly id: bigint
  readonly at: number
}

/**
 * The highest message id of each queue, as of a moment ago: the reply to a command that is sent afterwards has a higher one. A
 * series of requests looks it up once.
 */
export const createHeads = (look: ReplyMessages['head']) => {
  const known = new BoundedMap<string, Head>(REMEMBERED_QUEUES)
  const looking = new Map<string, Promise<bigint>>()
  const isFresh = (head: Head | undefined): head is Head => head !== undefined && performance.now() - head.at < FRESH_MS

  /** `at`: before the head was read. A lower one counts only after a while, when the queue may have been made again. */
  const note = (queue: string, head: string, at: number): bigint => {
    const id = BigInt(head)
    const before = known.get(queue)
    if (!isFresh(before) || before.id <= id) known.set(queue, { id, at })
    return id
  }

  const lookUp = async (queue: string): Promise<bigint> => {
    const at = performance.now()
    try {
      return note(queue, await look(queue), at)
    } catch (error) {
      // the send makes the queue
      if (isMissingRelation(error)) return 0n
      throw error
    }
  }

  return {
    note,
    of: (queue: string): bigint | Promise<bigint> => {
      const head = known.get(queue)
      if (isFresh(head)) return head.id
      const look = looking.get(queue) ?? lookUp(queue).finally(() => looking.delete(queue))
      looking.set(queue, look)
      return look
    },
  }
}
