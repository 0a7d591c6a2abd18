import { MOST_FAULTS } from './faults.ts'

/** A longer message is not for people. */
const LONGEST_MESSAGE = 500
const LONGEST_NAME = 100

/**
 * The first issues of a Standard Schema, each as `path: what was expected`. Values may be secrets, and some libraries put them
 * into their messages: the end of a message that says what was received is cut off, and a message that still has a value of the
 * payload in it is not used.
 */
export const issueFaults = (issues: unknown, data: unknown, root = ''): readonly string[] => {
  // some libraries answer with a class of their own, which has another `slice`
  const all = Array.isArray(issues) ? Array.from(issues).slice(0, MOST_FAULTS) : []
  const values = valuesIn(data)
  const faults = all.map(issue => faultOf(issue, data, values, root))
  return faults.length === 0 ? [`${root === '' ? 'the value' : root}: is not valid`] : [...new Set(faults)]
}

const faultOf = (issue: unknown, data: unknown, values: readonly string[], root: string): string => {
  const path = pathOf(issue)
  const names = [root, ...path].filter(name => name !== '')
  const own = valuesIn(memberAt(data, path), SHORTEST_OWN)
  const tells = (text: string): boolean => [...own, ...values].some(value => hasWord(text, value))
  const texts = [messageOf(issue, path), expectationOf(issue)]
  const text = texts.find(one => one !== undefined && !tells(one)) ?? 'is not valid'
  return `${names.length === 0 ? 'the value' : names.join('.')}: ${text}`
}

const read = (value: unknown, name: string): unknown => (value as { readonly [name: string]: unknown } | null)?.[name]

const pathOf = (issue: unknown): readonly string[] => {
  const path = read(issue, 'path')
  if (!Array.isArray(path)) return []
  return Array.from(path, step => nameOf(typeof step === 'object' ? read(step, 'key') : step))
}

const nameOf = (key: unknown): string => String(key).slice(0, LONGEST_NAME).toWellFormed()

/** The ends of messages that say what was received: those of valibot and of arktype. */
const RECEIVED = /(?: but received |[:,]? Received | \(was )[\s\S]*$/

/** Without what was received, and without the path in front, which arktype repeats. */
const messageOf = (issue: unknown, path: readonly string[]): string | undefined => {
  const message = read(issue, 'message')
  if (typeof message !== 'string' || message.length > LONGEST_MESSAGE) return undefined
  const text = message.replace(RECEIVED, '')
  const inFront = [path.join('.'), path.reduce((at, name) => at + (/^\d+$/.test(name) ? `[${name}]` : `.${name}`), '')]
    .map(at => `${at.replace(/^\./, '')} `)
    .find(at => at !== ' ' && text.startsWith(at))
  return inFront === undefined ? text || undefined : text.slice(inFront.length) || undefined
}

/** Some libraries say in a member of its own what they expected. */
const expectationOf = (issue: unknown): string | undefined => {
  const expected = read(issue, 'expected')
  return typeof expected === 'string' && expected !== '' && expected.length <= LONGEST_MESSAGE
    ? `expected ${expected}`
    : undefined
}

const memberAt = (data: unknown, path: readonly string[]): unknown =>
  path.reduce((value, name) => (typeof value === 'object' && value !== null ? read(value, name) : undefined), data)

/** The shortest texts and numbers, in characters, that count as a value in a message. */
interface Shortest {
  readonly text: number
  readonly number: number
}
/** Of any member: shorter ones are often words and limits of the message itself. */
const SHORTEST: Shortest = { text: 4, number: 4 }
/** Of the member that the issue is about. */
const SHORTEST_OWN: Shortest = { text: 1, number: 3 }

/** They stand in messages whatever the payload is. */
const KINDS = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null', 'true', 'false'])

/** A blank or a colon says nothing of a payload. */
const HAS_WORD = /[\p{L}\p{N}]/u

/** The texts and numbers in a payload that a message could repeat. */
const valuesIn = (data: unknown, shortest = SHORTEST): readonly string[] => {
  const values = new Set<string>()
  const add = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(add)
    const isText = typeof value === 'string'
    if (!isText && typeof value !== 'number') return
    const text = String(value)
    const isLong = text.length >= (isText ? shortest.text : shortest.number)
    if (isLong && text.length <= LONGEST_MESSAGE && !KINDS.has(text) && HAS_WORD.test(text)) values.add(text)
  }
  add(data)
  return [...values]
}

/** Whether the text has the value in it, and not only as a part of a longer word. */
const hasWord = (text: string, value: string): boolean => {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const goesOn = isWordAt(text, at + value.length) && isWordAt(value, value.length - 1)
    if (!goesOn && !(isWordAt(text, at - 1) && isWordAt(value, 0))) return true
  }
  return false
}

const isWordAt = (text: string, at: number): boolean => /[\p{L}\p{N}_]/u.test(text.charAt(at))
