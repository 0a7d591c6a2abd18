import { completes, cutOff, hangUp, never, type Reply, reset, says, stall, text } from './ai-server.ts'

const soon = (): string => new Date(Date.now() + 5_000).toUTCString()
const late = (): string => new Date(Date.now() + 3_600_000).toUTCString()

/** Faults that may be over at the next try, each with its expected code. */
export const passing: readonly (readonly [name: string, reply: Reply, code: string])[] = [
  ['never answers', never, 'TIMEOUT'],
  ['begins to answer and stops', stall, 'TIMEOUT'],
  ['resets the connection', reset, 'CONNECTION_FAILED'],
  ['hangs up', hangUp, 'CONNECTION_FAILED'],
  ['sends half a body', cutOff, 'CONNECTION_FAILED'],
  ['answers 500', says(500), 'SERVER_ERROR'],
  ['answers 503', says(503), 'SERVER_ERROR'],
  ['answers 429 for a moment', says(429, { 'retry-after': '10' }), 'RATE_LIMITED_SHORTLY'],
  ['answers 429 until a moment', says(429, { 'retry-after': soon() }), 'RATE_LIMITED_SHORTLY'],
]

/** Answers that a retry would get again. */
export const lasting: readonly (readonly [name: string, reply: Reply, code: string])[] = [
  ['401', says(401), 'UNAUTHORIZED'],
  ['403', says(403), 'UNAUTHORIZED'],
  ['402', says(402), 'PAYMENT_REQUIRED'],
  ['400', says(400), 'REFUSED'],
  ['422', says(422), 'REFUSED'],
  ['429 for long', says(429, { 'retry-after': '11' }), 'RATE_LIMITED'],
  ['429 until long', says(429, { 'retry-after': late() }), 'RATE_LIMITED'],
  ['429 without saying how long', says(429), 'RATE_LIMITED'],
  ['a redirection', says(302, { location: '/elsewhere' }), 'UNREADABLE_ANSWER'],
  ['garbage', text('<html>garbage</html>'), 'UNREADABLE_ANSWER'],
  ['nothing', text(''), 'UNREADABLE_ANSWER'],
  ['half of its JSON', text('{"choices": [{"mess'), 'UNREADABLE_ANSWER'],
  ['no choices', text('{"choices": []}'), 'UNREADABLE_ANSWER'],
  ['no content', completes(null), 'UNREADABLE_ANSWER'],
  ['a content that is no JSON', completes('Sure! Here are questions.'), 'UNREADABLE_ANSWER'],
  ['a content of another shape', completes('{"questions": "What?"}'), 'UNREADABLE_ANSWER'],
  ['more than a MiB', completes(`{"questions": []}${' '.repeat(1_100_000)}`), 'UNREADABLE_ANSWER'],
]
