import { randomFillSync, randomUUID } from 'node:crypto'
import { v5, v7 } from 'uuid'
import type { Ids } from '../../application/ports/ids.ts'

const ID_BYTES = 16
const pool = new Uint8Array(ID_BYTES * 256)
const parts = Array.from({ length: 256 }, (_, i) => pool.subarray(i * ID_BYTES, (i + 1) * ID_BYTES))
let used = parts.length

/** Random bytes from a buffer: a system call for each id costs more than the rest of it, and so does a copy. */
const rng = (): Uint8Array => {
  if (used === parts.length) {
    randomFillSync(pool)
    used = 0
  }
  return parts[used++] as Uint8Array
}

/** UUIDs of version 7: ordered by time, so that new keys are close together in the indexes. */
export const uuidIds: Ids = { next: () => v7({ rng }) }

/** Random UUIDs, for events: they stand in no index, and cost a fifth. */
export const eventIds: Ids = { next: randomUUID }

const NAMESPACE = '6f7a3a52-94c1-5e0c-9d0a-1f1f7f0f2b11'

/** Always the same UUID for the same text, so that a command sent twice for one reason is one command. */
export const derivedId = (text: string): string => v5(text, NAMESPACE)

/**
 * The id of a command from a business key, such as an order number: a key sent twice is one command. The same key of another
 * tenant or domain gives another id.
 * @param tenantId null: no tenant
 */
export const commandIdFor = (tenantId: string | null, domain: string, key: string): string =>
  derivedId(JSON.stringify(['command', tenantId, domain, key]))
