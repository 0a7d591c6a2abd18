import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { isLeft } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { parseCreditsStream } from '../../../domain/credits/names.ts'
import { eventHash, sha256 } from '../chain/event-hash.ts'
import { fingerprintOf, isSignedBy } from '../chain/keys.ts'
import {
  type CaseHeader,
  type EndLine,
  type EventLine,
  endLine,
  eventLine,
  header,
  type MessageLine,
  messageLine,
} from './case-lines.ts'

/** A fault of a file. */
export interface CaseFault {
  readonly line: number
  readonly message: string
}

export interface CaseReport {
  readonly header: CaseHeader
  readonly streams: number
  readonly events: number
  readonly messages: number
  /** Of the file's bytes, in hex. */
  readonly sha256: string
  /** Events whose data was redacted. */
  readonly redactedEvents: number
  /** Fingerprint of the key that signed it; null: the signature is missing or does not match the file. */
  readonly signedBy: string | null
  /** Whether that is one of the `trusted` keys; null: there are none. */
  readonly isTrusted: boolean | null
  /** Empty: file and events are unchanged. */
  readonly faults: readonly CaseFault[]
}

export interface ReadCaseOptions {
  /** Fingerprints of keys that may have signed it. */
  readonly trusted?: readonly string[]
  readonly onEvent?: (event: EventLine) => void
  readonly onMessage?: (message: MessageLine) => void
}

const MOST_FAULTS = 100

/**
 * Reads a file of `export` or `archive` to its end and checks its signature and the hash chain of its events (in an excerpt of
 * a ledger, each event by itself). Needs no database; holds one line at a time.
 * @throws CommandBusError FILE when the file cannot be read or was not made by `export` or `archive`
 */
export const readCase = async (path: string, options: ReadCaseOptions = {}): Promise<CaseReport> => {
  const { trusted = [], onEvent = () => {}, onMessage = () => {} } = options
  const faults: CaseFault[] = []
  const fault = (line: number, message: string): void => {
    if (faults.length < MOST_FAULTS) faults.push({ line, message })
  }
  const before = new Map<string, Buffer>()
  const hash = createHash('sha256')
  const fileHash = createHash('sha256')
  let [head, end]: [CaseHeader | null, EndLine | null] = [null, null]
  let [streams, events, messages, redactedEvents] = [0, 0, 0, 0]
  let [stream, revision] = ['', -1]
  let number = 0

  const takeEvent = (event: EventLine): void => {
    if (event.stream !== stream) {
      if (before.has(event.stream)) fault(number, `${event.stream} begins a second time`)
      ;[stream, revision] = [event.stream, -1]
      before.set(stream, Buffer.alloc(0))
      streams++
    }
    events++
    if (event.redacted !== undefined) redactedEvents++
    const isExcerpt =
      event.before !== undefined && parseCreditsStream(event.stream) !== null && event.revision > revision + 1
    const last = isExcerpt ? event.revision - 1 : revision
    const link = isExcerpt ? Buffer.from(event.before ?? '', 'hex') : (before.get(stream) as Buffer)
    for (const message of eventFaults(event, last, link)) fault(number, `${stream}, ${message}`)
    revision = event.revision
    before.set(stream, Buffer.from(event.hash, 'hex'))
    onEvent(event)
  }

  try {
    for await (const bytes of linesOf(path, chunk => fileHash.update(chunk))) {
      number++
      const line = parse(bytes)
      if (number === 1) {
        head = decoded(header, line)
        if (head === null) throw notOurs(path)
      } else if (end !== null) fault(number, 'there is something after the end')
      else if (has(line, 'end')) {
        end = decoded(endLine, line)?.end ?? null
        if (end === null) fault(number, 'the last line cannot be read')
        continue
      } else {
        const event = has(line, 'event') ? decoded(eventLine, line) : null
        const message = has(line, 'message') ? decoded(messageLine, line) : null
        if (event !== null) takeEvent(event.event)
        else if (message !== null) {
          messages++
          onMessage(message.message)
        } else fault(number, 'this line cannot be read')
      }
      if (end === null) hash.update(bytes)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof CommandBusError) throw error
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
      throw new CommandBusError('FILE', `${path} cannot be read (${code})`)
    if (head === null) throw notOurs(path)
    fault(number, 'the file is damaged or cut off here')
  }
  if (head === null) throw notOurs(path)
  const digest = hash.digest()
  const signedBy = checkEnd(end, digest, { streams, events, messages }, message => fault(number, message))
  const isTrusted = trusted.length === 0 ? null : signedBy !== null && trusted.includes(signedBy)
  if (isTrusted === false && signedBy !== null)
    fault(number, `it is signed by a key that is not trusted here: ${signedBy}`)
  return {
    header: head,
    sha256: fileHash.digest('hex'),
    streams,
    events,
    messages,
    redactedEvents,
    signedBy,
    isTrusted,
    faults,
  }
}

const notOurs = (path: string): CommandBusError =>
  new CommandBusError('FILE', `${path} is not a file that \`export\` or \`archive\` has made`)

const checkEnd = (
  end: EndLine | null,
  digest: Buffer,
  counts: { readonly streams: number; readonly events: number; readonly messages: number },
  fault: (message: string) => void,
): string | null => {
  if (end === null) {
    fault('the end of the file is missing')
    return null
  }
  const isWhole =
    end.sha256 === digest.toString('hex') && Object.entries(counts).every(([name, n]) => end[name as 'events'] === n)
  if (!isWhole) fault('the file was altered after it was made: its hash does not fit')
  const key = Buffer.from(end.key, 'base64url')
  if (isSignedBy(key, digest, Buffer.from(end.signature, 'base64url'))) return fingerprintOf(key)
  fault('the signature does not match this file')
  return null
}

const eventFaults = (event: EventLine, revision: number, before: Buffer): readonly string[] => {
  if (event.revision !== revision + 1) return [`event ${revision + 1} is missing: the next is ${event.revision}`]
  const faults: string[] = []
  const isRedacted = event.redacted !== undefined
  if (isRedacted !== (event.dataHash !== undefined)) return [`event ${event.revision} does not list what was redacted`]
  const dataHash = event.dataHash === undefined ? sha256(event.data) : Buffer.from(event.dataHash, 'hex')
  try {
    if (eventHash(before, { ...event, dataHash }).toString('hex') !== event.hash) {
      faults.push(
        `event ${event.revision} (${event.type}), or the one before it, is not what was recorded: its hash does not fit`,
      )
    }
  } catch (error) {
    faults.push(`event ${event.revision}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return faults
}

const parse = (line: Buffer): unknown => {
  try {
    return JSON.parse(line.toString())
  } catch {
    return null
  }
}

const has = (line: unknown, name: string): boolean => typeof line === 'object' && line !== null && name in line

const decoded = <A>(codec: t.Type<A, unknown, unknown>, line: unknown): A | null => {
  const result = codec.decode(line)
  return isLeft(result) ? null : result.right
}

const NEWLINE = 10

/** Lines with their newline, as bytes, because bytes were signed. */
async function* linesOf(path: string, onBytes: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  const file = createReadStream(path)
  file.on('data', chunk => onBytes(chunk as Buffer))
  const unzipped = file.pipe(createGunzip())
  file.on('error', error => unzipped.destroy(error))
  let parts: Buffer[] = []
  try {
    for await (const chunk of unzipped as AsyncIterable<Buffer>) {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        yield Buffer.concat([...parts, chunk.subarray(from, at + 1)])
        parts = []
        from = at + 1
      }
      if (from < chunk.length) parts.push(chunk.subarray(from))
    }
    if (parts.length > 0) yield Buffer.concat(parts)
  } finally {
    file.destroy()
  }
}
