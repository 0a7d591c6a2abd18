import type { Answered, Ask } from './ask.ts'
import type { Verdict } from './calls/call.ts'
import { honest, marker } from './people.ts'

/** Texts that no answer to a hostile user may contain: what honest users have written, and their names. */
const secrets = [marker, ...Object.values(honest).map(({ subject }) => subject)]

/** Room for 500 items with 4 KiB of each payload and their other fields; a single command is smaller. */
const MOST_BYTES = 4_000_000

/** Names of source files, statements and stacks, which no answer may contain. */
const INSIDE = /\n\s*at |node_modules|\.[jt]s:\d+|\bcommand_bus_\w|\bpgmq\.|select .* from |jwt\.secret/i

export const tellsOf = (text: string): string | null => {
  const told = secrets.find(secret => text.includes(secret))
  return told === undefined ? null : `tells what others have: ${text.slice(0, 300)}`
}

/** @param sent the caller's own text, which may be in the answer */
const sentenceFault = (text: string, sent: string): string | null => {
  try {
    const { code, detail } = JSON.parse(text)
    if (typeof code !== 'string' || !/^[A-Z_]+$/.test(code)) return 'has no code'
    if (typeof detail !== 'string' || detail === '') return 'has no sentence'
    if (detail.length > 4_000) return `has a sentence of ${detail.length} characters`
    const [inside] = INSIDE.exec(detail) ?? []
    return inside === undefined || sent.includes(inside) ? null : `tells what is inside: ${detail.slice(0, 300)}`
  } catch {
    return `is no problem but ${text.slice(0, 100)}`
  }
}

/** What is wrong with an answer to a hostile user; null if it is right. A connection that was cut is an answer, too. */
export const faultOf = (verdict: Verdict, { path, body }: Ask, { status, headers, text }: Answered): string | null => {
  const told = tellsOf(text)
  if (told !== null) return told
  if (status === 0) return null
  if (text.length > MOST_BYTES) return `has ${text.length} bytes`
  if (status >= 500 && (status !== 503 || !(Number(headers['retry-after']) > 0)))
    return `is ${status}: ${text.slice(0, 300)}`
  // an answer that the service is not ready has a form of its own
  if (status === 503 && path.startsWith('//health/')) return null
  if (status >= 400) return sentenceFault(text, `${path} ${JSON.stringify(body)}`)
  return verdict === 'refused' ? `is ${status} and should be a refusal: ${text.slice(0, 300)}` : null
}
