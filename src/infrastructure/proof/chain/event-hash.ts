import { createHash } from 'node:crypto'

/** An event exactly as in the log: `data` and `meta` are PostgreSQL's text of them. */
export interface HashedEvent {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  /** SHA-256 of the text of the data. */
  readonly dataHash: Buffer
  readonly meta: string
  readonly msgId: string | null
  /** With microseconds: `2026-01-02T03:04:05.678901Z`. */
  readonly recorded: string
}

export const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/**
 * The hash of an event that follows one with hash `before` (empty for the first of a stream): SHA-256 over `before`,
 * revision, id, recorded, message id, the lengths of stream and type, the hash of the data, stream, type and meta. The
 * database computes the same: see `command_bus_event_content` in migrations/0001_event_log.sql.
 */
export const eventHash = (before: Buffer, event: HashedEvent): Buffer => {
  const stream = Buffer.from(event.stream)
  const type = Buffer.from(event.type)
  const numbers = Buffer.alloc(40)
  numbers.writeBigInt64BE(BigInt(event.revision), 0)
  Buffer.from(event.id.replaceAll('-', ''), 'hex').copy(numbers, 8)
  numbers.writeBigInt64BE(microseconds(event.recorded), 24)
  numbers.writeBigInt64BE(BigInt(event.msgId ?? 0), 32)
  const lengths = Buffer.alloc(8)
  lengths.writeInt32BE(stream.length, 0)
  lengths.writeInt32BE(type.length, 4)
  return sha256(before, numbers, lengths, event.dataHash, stream, type, event.meta)
}

const EPOCH_2000_MS = Date.UTC(2000, 0, 1)
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/

/** Microseconds since 2000, as PostgreSQL counts. @throws Error for any other form of an instant */
const microseconds = (instant: string): bigint => {
  const [, seconds, fraction] = INSTANT.exec(instant) ?? []
  const at = Date.parse(`${seconds}Z`)
  if (fraction === undefined || Number.isNaN(at))
    throw new Error(`'${instant.slice(0, 50)}' is not an instant with microseconds`)
  return BigInt(at - EPOCH_2000_MS) * 1000n + BigInt(fraction)
}

/** SQL: an event `e` in the columns of `HashedEvent` and `StoredLine`, exact to the microsecond and the last digit. */
export const exactColumns = `e.stream, e.revision::float8 as revision, e.id, e.type, e.data::text as data, e.meta::text as meta,
  e.msg_id::text as "msgId", to_char(e.recorded at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded,
  encode(e.hash, 'hex') as hash`

/**
 * SQL: the correct hash of event `e` after one with hash `before`. Written out here, so that a check does not trust a function
 * of the database that it checks.
 */
export const expectedHash = (before: string): string => `sha256(${before} || int8send(e.revision) || uuid_send(e.id)
  || timestamptz_send(e.recorded) || int8send(coalesce(e.msg_id, 0)) || int4send(octet_length(e.stream))
  || int4send(octet_length(e.type)) || sha256(convert_to(e.data::text, 'UTF8'))
  || convert_to(e.stream || e.type || e.meta::text, 'UTF8'))`
