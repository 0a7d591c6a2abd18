import type { Answered } from './ask.ts'
import type { Verdict } from './calls/call.ts'
import { honest, marker } from './people.ts'

/** What no answer to the hostile may hold: what the honest have written, and their names. */
const secrets = [marker, ...Object.values(honest).map(({ subject }) => subject)]

/** Files of ours, statements, and stacks are nobody's business. */
const INSIDE = /\n\s*at |node_modules|\.[jt]s:\d+|\bcommand_bus_\w|\bpgmq\.|select .* from |jwt\.secret/i

export const tellsOf = (text: string): string | null => {
  const told = secrets.find(secret => text.includes(secret))
  return told === undefined ? null : `tells what others have: ${text.slice(0, 300)}`
}

const sentenceFault = (text: string): string | null => {
  try {
    const { code, detail } = JSON.parse(text)
    if (typeof code !== 'string' || !/^[A-Z_]+$/.test(code)) return 'has no code'
    if (typeof detail !== 'string' || detail === '') return 'has no sentence'
    if (detail.length > 4_000) return `has a sentence of ${detail.length} characters`
    return INSIDE.test(detail.replaceAll(/'[^']*'/g, '')) ? `tells what is inside: ${detail.slice(0, 300)}` : null
  } catch {
    return `is no problem but ${text.slice(0, 100)}`
  }
}

/** What is wrong with an answer to somebody hostile; null: nothing. A connection that was cut is an answer, too. */
export const faultOf = (verdict: Verdict, { status, headers, text }: Answered): string | null => {
  const told = tellsOf(text)
  if (told !== null) return told
  if (status === 0) return null
  if (status >= 500 && (status !== 503 || !(Number(headers['retry-after']) > 0)))
    return `is ${status}: ${text.slice(0, 300)}`
  if (status >= 400) return sentenceFault(text)
  return verdict === 'refused' ? `is ${status} and should be a refusal: ${text.slice(0, 300)}` : null
}
