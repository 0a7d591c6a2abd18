import type { OpenedMessage } from '../../../application/commands/work-message.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Delivery, Queue } from '../../../application/ports/queue.ts'
import type { Telemetry } from '../../../application/ports/telemetry.ts'
import { MAX_STATEMENT_BYTES } from '../../../application/shared/json-size.ts'
import type { QueueAdoption } from '../../postgres/strangers/queue-adoption.ts'

/** What a worker that adopts needs. */
export interface Adopting {
  readonly adopt: (deliveries: readonly Delivery[]) => Promise<QueueAdoption>
  readonly open: (deliveries: readonly Delivery[]) => Promise<readonly OpenedMessage[]>
  readonly leaseMs: number
}

export interface StrangerKeeperDeps {
  readonly queue: Pick<Queue, 'read' | 'keepStrangers' | 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly domain: string
  readonly log: Log
  readonly telemetry: Pick<Telemetry, 'strangers'>
  /** Null: this worker only keeps them. */
  readonly adopting: Adopting | null
}

/** Messages of other programs that one transaction adopts. */
const MOST = 500

/** Adopts messages of other programs if the worker does so, and keeps the others apart; by message id, with the reasons. */
export const createStrangerKeeper = ({ queue, name, domain, log, telemetry, adopting }: StrangerKeeperDeps) => {
  const keep = async (reasons: ReadonlyMap<string, string>): Promise<void> => {
    if (reasons.size === 0) return
    await queue.keepStrangers(name, reasons)
    telemetry.strangers?.({ domain, adopted: 0, kept: reasons.size })
    for (const [msgId, why] of reasons) {
      log.warn({ queue: name, msgId, why }, 'a message that no command of this bus sent is kept apart')
    }
  }

  const adopt = async ({ adopt }: Adopting, found: readonly Delivery[]): Promise<void> => {
    const { adopted, refused } = await adopt(found)
    if (adopted > 0) {
      telemetry.strangers?.({ domain, adopted, kept: 0 })
      log.info({ queue: name, adopted }, 'messages of other programs became commands')
    }
    await keep(refused)
  }

  /** Reads more than the slots want, and gives back what is not a stranger. */
  const adoptMore = async (own: Adopting, sizes: readonly number[]): Promise<void> => {
    const average = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
    const quantity = Math.min(MOST, Math.floor(MAX_STATEMENT_BYTES / average))
    if (quantity < 2) return
    let left = await queue.read(name, quantity, own.leaseMs)
    try {
      const opened = left.length === 0 ? [] : await own.open(left)
      const strangers = opened.flatMap(({ kind, delivery }) => (kind === 'unknown' ? [delivery] : []))
      if (strangers.length === 0) return
      await adopt(own, strangers)
      left = opened.flatMap(({ kind, delivery }) => (kind === 'unknown' ? [] : [delivery]))
    } finally {
      await queue.handBack(name, left, { uncount: true })
    }
  }

  return {
    settle: async (found: readonly Delivery[], reasons: ReadonlyMap<string, string>): Promise<void> => {
      if (adopting === null) await keep(reasons)
      else await adopt(adopting, found)
    },
    /** After a read that found nothing but these: there may be many more. */
    goOn: async (found: readonly Delivery[]): Promise<void> => {
      if (adopting === null) return
      await adoptMore(
        adopting,
        found.map(({ size }) => size),
      )
    },
  }
}
