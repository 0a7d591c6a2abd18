import { open } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { type Either, isRight } from 'fp-ts/lib/Either.js'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { instantOf, jsonOf } from '../../../application/shared/input.ts'
import { MAX_JSON_BYTES } from '../../../application/shared/json.ts'
import type { Json } from '../../../domain/json/json.ts'
import { type JsonFault, parseJsonText } from '../../../domain/json/json-text.ts'
import { UsageError } from './failure.ts'

/** A whole number; the library checks its range. */
export const numberOf =
  (flag: string) =>
  (text: string): number => {
    if (!/^-?\d{1,9}$/.test(text.trim())) throw new UsageError(`${flag} must be a whole number`)
    return Number(text)
  }

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90d`, `12h` or `30m` in milliseconds; undefined for another text. */
const lengthOf = (text: string): number | undefined => {
  const [, amount, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text.trim()) ?? []
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 0)
}

export const ageOf = (text: string | undefined): number => {
  const age = lengthOf(text ?? '')
  if (age === undefined) throw new UsageError('--older-than must be an age like 90d, 12h or 30m')
  return age
}

/** An ISO 8601 instant, or `12h` for one that far from now. */
export const instantAhead = (flag: string, text: string): string => {
  const ahead = lengthOf(text)
  if (ahead !== undefined) return new Date(Date.now() + ahead).toISOString()
  try {
    return instantOf(text, flag)
  } catch {
    throw new InvalidInputError(flag, 'must be an ISO 8601 date or time, or a time from now like 30m, 12h or 7d')
  }
}

/** An ISO 8601 instant, or `24h` for one that far back. */
export const instantBack = (flag: string, text: string): string => {
  const back = lengthOf(text)
  if (back !== undefined) return new Date(Date.now() - back).toISOString()
  try {
    return instantOf(text, flag)
  } catch {
    throw new InvalidInputError(flag, 'must be how far back, like 30m, 24h or 7d, or an ISO 8601 date or time')
  }
}

/** Gathers a flag that may be repeated. */
export const again = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `0.1,0.2` as seconds. */
export const backoffOf = (text: string): readonly number[] =>
  text.split(',').map(part => {
    if (!/^-?(\d+\.?\d*|\.\d+)$/.test(part.trim())) {
      throw new UsageError('--backoff must be waits in seconds, joined by commas, like 0.1,0.2')
    }
    return Number(part)
  })

/** JSON from the command line, from a file (`@payload.json`) or from standard input (`-`). */
export const readJson = async (flag: string, given: string): Promise<Json> => {
  const text =
    given === '-'
      ? await read(flag, process.stdin)
      : given.startsWith('@')
        ? await readFile(flag, given.slice(1))
        : given
  const parsed = parsedOf(flag, text)
  if (isRight(parsed)) return jsonOf(parsed.right, flag)
  throw new InvalidInputError(flag, `${parsed.left.path || 'the value'} ${parsed.left.message}`)
}

const parsedOf = (flag: string, text: string): Either<JsonFault, unknown> => {
  try {
    return parseJsonText(text)
  } catch (error) {
    throw new UsageError(
      `${flag} is not JSON (${(error as Error).message}): quote it for the shell, like '{"amount": 5}'`,
    )
  }
}

const readFile = async (flag: string, path: string): Promise<string> => {
  try {
    const file = await open(path)
    try {
      return await read(flag, file.createReadStream({ autoClose: false }))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof InvalidInputError) throw error
    throw new UsageError(
      `${flag} names the file ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

/** Stops at the size that would be refused anyway. */
const read = async (flag: string, stream: AsyncIterable<Buffer | string>): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_JSON_BYTES) {
      throw new InvalidInputError(flag, `has more than the ${MAX_JSON_BYTES} bytes (1 MiB) that are allowed`)
    }
    chunks.push(bytes)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new InvalidInputError(flag, 'is not valid UTF-8')
  }
}

/** Who acts by default: the user of the operating system. */
export const systemUser = (): string | undefined => {
  try {
    return userInfo().username || undefined
  } catch {
    return undefined
  }
}

export const operatorOf = (given: string | undefined): string => {
  const operator = given ?? systemUser()
  if (operator === undefined) throw new UsageError('name yourself with --operator: this account has no user name')
  return operator
}
