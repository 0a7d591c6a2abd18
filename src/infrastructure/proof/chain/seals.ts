import type { ClientBase, Pool } from 'pg'
import type { Json } from '../../../domain/json/json.ts'
import { exactInstant, instant } from '../../postgres/connection/instant.ts'
import { inTransaction, withClient } from '../../postgres/connection/with-client.ts'
import { type LogPosition, nextEvents } from '../../postgres/log/log-reader.ts'
import { sha256 } from './event-hash.ts'
import type { Signer } from './keys.ts'

/** Where the chain over the whole log stands, with the position of the last event it covers. */
export interface SealHead extends LogPosition {
  readonly number: string
  /** In hex. With a copy of it elsewhere you can check that the log up to it is unchanged. */
  readonly hash: string
  readonly sealedAt: string
}

export interface SealOptions {
  readonly signer: Signer | null
  /** The most events of one seal. Default 10,000. */
  readonly batch?: number
  /** Does nothing while the last seal is younger, in milliseconds. Default 0. */
  readonly everyMs?: number
}

const BATCH = 10_000
/** Held while seals are written: one process at a time. */
const LOCK = `hashtextextended('commandbus:seal', 0)`

const columns = `number::text, encode(hash, 'hex') as hash, ${instant('sealed_at')} as "sealedAt", xid::text, position::text`

export const sealHead = async (client: Pick<ClientBase, 'query'>): Promise<SealHead> => {
  const { rows } = await client.query(
    `select ${columns} from command_bus_seal order by command_bus_seal.number desc limit 1`,
  )
  if (rows[0] === undefined) throw new Error('the log has no seals, although the migration makes the first one')
  return rows[0]
}

/** The name of this log, from its first seal. */
export const logName = async (client: Pick<ClientBase, 'query'>): Promise<string> => {
  const { rows } = await client.query(`select about->>'log' as log from command_bus_seal where number = 0`)
  return rows[0]?.log ?? 'unknown'
}

/**
 * Seals the visible events after the last seal, one transaction for each seal, and returns the new seals; none when another
 * process is sealing.
 */
export const sealEvents = (pool: Pool, options: SealOptions): Promise<readonly SealHead[]> => {
  const { batch = BATCH, everyMs = 0 } = options
  return withClient(pool, async client => {
    const seals: SealHead[] = []
    for (;;) {
      const seal = await inTransaction(client, async () => {
        const { rows } = await client.query(
          `select pg_try_advisory_xact_lock(${LOCK}) as ours,
                  not exists (select from command_bus_seal where number > 0 and sealed_at > clock_timestamp() - make_interval(secs => $1)) as due`,
          [everyMs / 1000],
        )
        const isOurs = rows[0].ours && (rows[0].due || seals.length > 0)
        return isOurs ? sealNext(client, options.signer, batch) : null
      })
      if (seal === null) return seals
      seals.push(seal.head)
      if (seal.events < batch) return seals
    }
  })
}

/** In the caller's transaction: waits until no other process writes seals. */
export const holdSeals = async (client: ClientBase): Promise<void> => {
  await client.query(`select pg_advisory_xact_lock(${LOCK})`)
}

const sealNext = async (client: ClientBase, signer: Signer | null, batch: number) => {
  const head = await sealHead(client)
  const { rows } = await client.query(
    `with e as materialized (${nextEvents('e.xid, e.position, e.hash', '$3::int')})
     select count(*)::int as events, sha256(string_agg(hash, ''::bytea order by xid, position)) as digest,
       (array_agg(xid order by xid desc, position desc))[1]::text as xid,
       (array_agg(position order by xid desc, position desc))[1]::text as position
     from e`,
    [head.xid, head.position, batch],
  )
  const { events, digest, xid, position } = rows[0]
  return events === 0
    ? null
    : { events: events as number, head: await putSeal(client, signer, head, { xid, position, events, digest }) }
}

interface Sealed extends LogPosition {
  readonly events: number
  readonly digest: Buffer
  readonly about?: { readonly [name: string]: Json }
}

/** Adds a seal that covers no event, but `about`. Call it in a transaction after `holdSeals`. */
export const sealAbout = async (
  client: ClientBase,
  signer: Signer | null,
  about: { readonly [name: string]: Json },
): Promise<SealHead> => {
  const head = await sealHead(client)
  return putSeal(client, signer, head, { xid: head.xid, position: head.position, events: 0, digest: sha256(), about })
}

const putSeal = async (
  client: ClientBase,
  signer: Signer | null,
  head: SealHead,
  sealed: Sealed,
): Promise<SealHead> => {
  const { xid, position, events, digest, about = {} } = sealed
  // the time stays the database's text: a JavaScript date has no microseconds
  const { rows } = await client.query(
    `select (s.number + 1)::text as number, ${exactInstant('n.at')} as at,
       sha256(s.hash || command_bus_seal_content(s.number + 1, $2::bigint, $3::bigint, n.at, $4::jsonb, $5::bytea)) as hash
     from command_bus_seal s cross join lateral (select clock_timestamp() as at offset 0) n
     where s.number = $1::bigint`,
    [head.number, position, events, JSON.stringify(about), digest],
  )
  const { number, at, hash } = rows[0]
  const inserted = await client.query(
    `insert into command_bus_seal (number, xid, position, events, sealed_at, about, hash, key, signature)
     values ($1::bigint, $2::xid8, $3::bigint, $4::bigint, $5::timestamptz, $6::jsonb, $7::bytea, $8::bytea, $9::bytea)
     returning ${columns}`,
    [number, xid, position, events, at, JSON.stringify(about), hash, signer?.key ?? null, signer?.sign(hash) ?? null],
  )
  return inserted.rows[0]
}
