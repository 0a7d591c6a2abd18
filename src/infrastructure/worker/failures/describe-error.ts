import { isLeft } from 'fp-ts/lib/Either.js'
import { type HideValues, hidesNothing } from '../../../application/sensitive/hide-values.ts'
import { parseJson, storableText } from '../../../application/shared/json.ts'
import { HIDDEN, isSecretName, maskSecrets } from '../../../application/shared/mask-secrets.ts'
import type { CommandError, ErrorCause } from '../../../domain/command/events.ts'
import type { Json } from '../../../domain/json/json.ts'
import { shortFrame, topFrameOf } from './frames.ts'
import { codeOf, isError, memberOf, membersOf, textOf } from './thrown.ts'

const DEEPEST = 5
const MOST_CAUSES = 8
/** Members of an AggregateError that its message lists. */
const TOLD_MEMBERS = 3
const MAX_MESSAGE = 10_000
const MAX_PART = 500
const MAX_STACK = 3_000
const MAX_CAUSE_STACK = 1_000
/** Of stack and causes together: each failed attempt stores its own. */
const MAX_ALL = 8_000
/** Masking costs time for each character, and longer texts are cut anyway. */
const MAX_MASKED = 65_536

/** A text for the log and the history: without secrets and sensitive values, and cut, in this order: a part of a value would stay. */
export const maskedText = (text: string, hide: HideValues, max = MAX_MESSAGE): string =>
  storableText(maskSecrets(beginningOf(text, hide)), max)

const beginningOf = (text: string, hide: HideValues): string =>
  hide(text.slice(0, MAX_MASKED), text.length > MAX_MASKED)

/**
 * An error's message, never blank: its own text, those of its members, and that of its cause unless the text has it already.
 * `fetch failed: connect ECONNREFUSED 127.0.0.1:1`.
 */
export const messageOf = (thrown: unknown, hide: HideValues): string =>
  sentenceOf(thrown, hide, new Set()) ?? `${codeOf(thrown)} (no message)`

const sentenceOf = (thrown: unknown, hide: HideValues, above: Set<unknown>): string | undefined => {
  if (!isError(thrown)) return plainText(thrown, hide)
  if (above.has(thrown) || above.size >= DEEPEST) return undefined
  const below = new Set(above).add(thrown)
  const own = textOf(memberOf(thrown, 'message'))
  const members = membersOf(thrown)
  const described = members.slice(0, TOLD_MEMBERS).flatMap(member => partOf(member, hide, below) ?? [])
  const more = members.length > TOLD_MEMBERS ? ` (and ${members.length - TOLD_MEMBERS} more)` : ''
  const collected = described.length === 0 ? undefined : `${[...new Set(described)].join('; ')}${more}`
  const cause = memberOf(thrown, 'cause')
  const caused = cause === undefined ? undefined : partOf(cause, hide, below)
  const parts = [own, collected, caused].filter(part => part !== undefined)
  const said = parts.filter((part, i) => !parts.slice(0, i).some(before => before.includes(part)))
  return said.length === 0 ? undefined : said.join(': ')
}

/** A part of another error's message: its text, or else its code. */
const partOf = (error: unknown, hide: HideValues, above: Set<unknown>): string | undefined => {
  if (above.has(error)) return undefined
  const text = sentenceOf(error, hide, above) ?? (isError(error) ? codeOf(error) : undefined)
  return text === undefined ? undefined : maskedText(text, hide, MAX_PART)
}

/** For what is thrown and is not an error: its text, or the object as JSON. */
const plainText = (thrown: unknown, hide: HideValues): string | undefined => {
  if (typeof thrown !== 'object' || thrown === null) return textOf(String(thrown))
  const text = textOf(memberOf(thrown, 'message'))
  if (text !== undefined) return text
  const json = parseJson(thrown)
  return isLeft(json) ? 'an object was thrown that cannot be shown' : JSON.stringify(maskJson(json.right, hide))
}

/** JSON with every text masked, and every number and name that is a sensitive value. */
export const maskJson = (value: Json, hide: HideValues): Json => {
  if (typeof value === 'string') return maskSecrets(hide(value))
  if (typeof value === 'number') return hide(String(value)) === String(value) ? value : hide(String(value))
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(member => maskJson(member, hide))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [hide(name), isSecretName(name) ? HIDDEN : maskJson(member, hide)]),
  )
}

/** Where an error was thrown, and its causes with theirs: a few KiB at most. */
export const traceOf = (
  thrown: unknown,
  hide: HideValues = hidesNothing,
): Pick<CommandError, 'stack' | 'frame' | 'causes'> => {
  let room = MAX_ALL
  /** Where the error or one of its causes left the user's code. */
  let top: string | undefined
  const fitting = (text: string, max: number): string => {
    const fits = text.slice(0, Math.min(max, room)).toWellFormed()
    room -= fits.length
    return fits
  }
  const stackOf = (error: unknown, max: number): { readonly stack?: string } => {
    const whole = isError(error) ? textOf(memberOf(error, 'stack')) : undefined
    if (whole === undefined) return {}
    const lines = framesOf(whole)
    top ??= topFrameOf(lines)
    const fits = fitting(shortStack(whole, lines, hide), max)
    return fits === '' ? {} : { stack: fits }
  }
  const own = stackOf(thrown, MAX_STACK)
  const causes: ErrorCause[] = []
  const seen = new Set<unknown>([thrown])
  const add = (error: unknown, kind: ErrorCause['kind'], depth: number): void => {
    if (error === undefined || seen.has(error) || depth > DEEPEST || causes.length >= MOST_CAUSES || room <= 0) return
    if (typeof error === 'object') seen.add(error)
    const message = fitting(maskedText(messageOf(error, hide), hide, MAX_PART), MAX_PART * 2)
    causes.push({ kind, depth, code: hide(codeOf(error)), message, ...stackOf(error, MAX_CAUSE_STACK) })
    below(error, depth + 1)
  }
  const below = (error: unknown, depth: number): void => {
    if (!isError(error)) return
    for (const member of membersOf(error).slice(0, MOST_CAUSES)) add(member, 'member', depth)
    add(memberOf(error, 'cause'), 'cause', depth)
  }
  below(thrown, 1)
  return {
    ...own,
    ...(top === undefined ? {} : { frame: maskedText(top, hide) }),
    ...(causes.length === 0 ? {} : { causes }),
  }
}

const FRAME = /\n\s+at [^\n]*/g

const framesOf = (stack: string): readonly string[] =>
  (stack.slice(-MAX_MASKED).match(FRAME) ?? []).map(frame => frame.slice(1))

/** A stack repeats the whole message before its frames: only its first line is kept. */
const shortStack = (stack: string, frames: readonly string[], hide: HideValues): string => {
  if (frames.length === 0) return maskedText(stack, hide)
  // before it is split: a value may have several lines
  const [head = ''] = beginningOf(stack, hide).split('\n', 1)
  return [maskedText(head, hide, MAX_PART), maskedText(frames.map(shortFrame).join('\n'), hide)].join('\n')
}
