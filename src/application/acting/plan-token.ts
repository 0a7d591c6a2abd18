import type { NewAction, PlanChange, Selection, SelectionPrint } from '../ports/action-store.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError, InvalidInputError } from '../shared/errors.ts'

/**
 * What a dry run saw: a hash of what was to be done, and one of the commands with their revisions. The log never changes, so
 * that with the same revisions the same decision has the same outcome.
 */
export interface PlanToken extends SelectionPrint {
  readonly options: string
}

/** The plan no longer fits, and nothing was done. `changes` are up to 20 of the commands that are different. */
export class PlanChangedError extends CommandBusError {
  override readonly name = 'PlanChangedError'
  readonly changes: readonly PlanChange[]
  constructor(changes: readonly PlanChange[], what: 'commands' | 'options' = 'commands') {
    super(
      'PLAN_CHANGED',
      `${what === 'options' ? OTHER_OPTIONS : sentenceOf(changes)}; nothing was done: make a new dry run`,
    )
    this.changes = changes
  }
}

brandErrors({ PlanChangedError })

const OTHER_OPTIONS = 'the plan was made with other options'

const sentenceOf = (changes: readonly PlanChange[]): string => {
  const counts = (['added', 'gone', 'moved'] as const).flatMap(kind => {
    const count = changes.filter(({ change }) => change === kind).length
    return count === 0 ? [] : [`${count} ${words[kind]}`]
  })
  const [first] = changes
  const which = first === undefined ? '' : ` (${counts.join(', ')}; first: ${first.commandId})`
  return `commands have changed since the plan was made${which}`
}

const words = { added: 'added', gone: 'no longer parked', moved: 'changed' } as const

/** The token for a selection as it was printed. */
export const tokenOf = async (
  action: Selection & Pick<NewAction, 'details' | 'canary' | 'campaign'>,
  { print, snapshot }: SelectionPrint,
): Promise<PlanToken> => {
  const { details, target, tenantId, canary, campaign } = action
  return { options: await hashOf([details, target, tenantId, canary, campaign]), print, snapshot }
}

export const textOfToken = ({ options, print, snapshot }: PlanToken): string => `${options}${print}.${snapshot}`

/** A snapshot names every transaction that was open. */
const TOKEN = /^([0-9a-f]{16})([0-9a-f]{32})\.([\d:,]{1,40000})$/

export const isToken = (text: string): boolean => TOKEN.test(text)

/** @throws InvalidInputError */
export const printIn = (token: unknown): PlanToken => {
  const [, options, print, snapshot] = (typeof token === 'string' ? TOKEN.exec(token) : null) ?? []
  if (options === undefined || print === undefined || snapshot === undefined) {
    throw new InvalidInputError('planToken', 'is not a token of a dry run')
  }
  return { options, print, snapshot }
}

const HASH_BYTES = 8

/** Hexadecimal, of any JSON. */
export const hashOf = async (value: unknown, bytes = HASH_BYTES): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(value)))
  return Array.from(new Uint8Array(digest).subarray(0, bytes), byte => byte.toString(16).padStart(2, '0')).join('')
}
