import { randomFillSync } from 'node:crypto'
import { v5, v7 } from 'uuid'
import type { Ids } from '../../application/ports/ids.ts'

const ID_BYTES = 16
const pool = new Uint8Array(ID_BYTES * 256)
let used = pool.length

/** Random bytes by the pool: asking the system for sixteen at a time costs more than the rest of an id. */
const rng = (): Uint8Array => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.slice(used - ID_BYTES, used)
}

/** UUIDs of version 7: ordered by time, so that keys of one moment lie together in the indexes. */
export const uuidIds: Ids = { next: () => v7({ rng }) }

const NAMESPACE = '6f7a3a52-94c1-5e0c-9d0a-1f1f7f0f2b11'

/** The same UUID for the same text, always: what is sent twice for one reason is one command. */
export const derivedId = (text: string): string => v5(text, NAMESPACE)

/**
 * The id of a command that a business key names, such as an order's number: the same for the same key, so that what is
 * sent twice is one command. Tenants are kept apart: the same key of another tenant is another id.
 * @param tenantId null: of no tenant
 */
export const commandIdFor = (tenantId: string | null, domain: string, key: string): string =>
  derivedId(JSON.stringify(['command', tenantId, domain, key]))
