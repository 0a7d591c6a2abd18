/**
 * One-dimensional arrays in PostgreSQL's binary form. node-postgres sends a Buffer as a binary parameter, so nothing is escaped
 * by one side and parsed by the other. A list without any value becomes null: for `unnest` that is the same, and costs nothing.
 */
export type TypedArray = Buffer | null

const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1

const OIDS = { int8: 20, int4: 23, text: 25, float8: 701, timestamptz: 1184, uuid: 2950, jsonb: 3802 } as const

const header = (buffer: Buffer, oid: number, count: number, hasNulls: boolean): void => {
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(count, 12)
  // the first index
  buffer.writeInt32BE(1, 16)
}

/** An array whose elements all have the same size. */
const fixed =
  <Value>(oid: number, size: number, write: (buffer: Buffer, value: Value, at: number) => void) =>
  (values: readonly (Value | null)[]): TypedArray => {
    let nulls = 0
    for (const value of values) if (value === null) nulls++
    if (nulls === values.length) return null
    const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * LENGTH_BYTES + (values.length - nulls) * size)
    header(buffer, oid, values.length, nulls > 0)
    let at = HEADER_BYTES
    for (const value of values) {
      buffer.writeInt32BE(value === null ? NULL_LENGTH : size, at)
      at += LENGTH_BYTES
      if (value === null) continue
      write(buffer, value, at)
      at += size
    }
    return buffer
  }

/** An array of texts, each after `prefix` bytes that all have the value 1. */
const texts =
  (oid: number, prefix: 0 | 1) =>
  (values: readonly (string | null)[]): TypedArray => {
    let nulls = 0
    let bytes = HEADER_BYTES
    const lengths = new Int32Array(values.length)
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as string | null
      const length = value === null ? NULL_LENGTH : Buffer.byteLength(value) + prefix
      lengths[i] = length
      if (value === null) nulls++
      else bytes += length
    }
    if (nulls === values.length) return null
    const buffer = Buffer.allocUnsafe(bytes + values.length * LENGTH_BYTES)
    header(buffer, oid, values.length, nulls > 0)
    let at = HEADER_BYTES
    for (let i = 0; i < values.length; i++) {
      const length = lengths[i] as number
      buffer.writeInt32BE(length, at)
      at += LENGTH_BYTES
      if (length === NULL_LENGTH) continue
      if (prefix === 1) buffer[at] = 1
      buffer.write(values[i] as string, at + prefix, 'utf8')
      at += length
    }
    return buffer
  }

const UUID_BYTES = 16
const DASH = 45
/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
const EPOCH = 946_684_800_000_000n

/** The value of a hexadecimal digit, by its character code; of no other character. */
const digits = new Map(Array.from('0123456789abcdefABCDEF', digit => [digit.charCodeAt(0), Number.parseInt(digit, 16)]))
const digitOf = Uint8Array.from({ length: 128 }, (_, code) => digits.get(code) ?? 255)

/** Two digits a byte, passing over the dashes: a third of the cost of `replaceAll` and Buffer's own hex. */
const writeUuid = (buffer: Buffer, uuid: string, at: number): void => {
  let to = at
  let faults = 0
  for (let i = 0; i < uuid.length; i++) {
    const code = uuid.charCodeAt(i)
    if (code === DASH) continue
    i++
    const high = digitOf[code] ?? 255
    const low = digitOf[uuid.charCodeAt(i)] ?? 255
    faults |= high | low
    buffer[to++] = (high << 4) | low
  }
  // the buffer has old memory where nothing is written
  if (faults > 15 || to !== at + UUID_BYTES) throw new RangeError(`'${uuid}' is not a UUID`)
}
const writeInstant = (buffer: Buffer, instant: string, at: number): void => {
  buffer.writeBigInt64BE(BigInt(Date.parse(instant)) * 1000n - EPOCH, at)
}

export const uuidArray = fixed<string>(OIDS.uuid, UUID_BYTES, writeUuid)
/** Of whole numbers, or of their texts. */
export const int8Array = fixed<number | string>(OIDS.int8, 8, (buffer, value, at) =>
  buffer.writeBigInt64BE(BigInt(value), at),
)
export const int4Array = fixed<number>(OIDS.int4, 4, (buffer, value, at) => buffer.writeInt32BE(value, at))
export const float8Array = fixed<number>(OIDS.float8, 8, (buffer, value, at) => buffer.writeDoubleBE(value, at))
/** Of instants: ISO 8601 with milliseconds, UTC. */
export const instantArray = fixed<string>(OIDS.timestamptz, 8, writeInstant)
export const textArray = texts(OIDS.text, 0)
/** Of JSON texts; the byte before each is the version of jsonb's binary form. */
export const jsonbArray = texts(OIDS.jsonb, 1)
