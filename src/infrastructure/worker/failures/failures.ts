import { isLeft } from 'fp-ts/lib/Either.js'
import {
  BusinessRuleError,
  PermanentCommandError,
  TransientCommandError,
} from '../../../application/commands/command-errors.ts'
import { type HideValues, hidesNothing } from '../../../application/sensitive/hide-values.ts'
import { parseJson, storableText } from '../../../application/shared/json.ts'
import type { CommandError, ErrorType } from '../../../domain/command/events.ts'
import { maskedText, maskJson, messageOf, traceOf } from './describe-error.ts'
import { codeOf, textOf } from './thrown.ts'

/** What an error of a handler means for its command. */
export type HandlerErrorType = Extract<ErrorType, 'TRANSIENT' | 'PERMANENT' | 'BUSINESS_RULE'>

/** What an error of another library means: its class, code and message. */
export interface MappedError {
  readonly type: HandlerErrorType
  readonly code?: string
  readonly message?: string
}

/** Decides how an error that is not a command error is treated; undefined: as transient. */
export type MapError = (error: unknown) => MappedError | undefined

const MAX_CODE = 200

/** The error of the event for what a handler threw, which can be anything; without the values that `hide` hides. */
export const failureOf = (
  thrown: unknown,
  map: MapError | undefined,
  hide: HideValues = hidesNothing,
): CommandError => {
  try {
    return errorOf(thrown, map, hide)
  } catch {
    return failure('TRANSIENT', 'UNKNOWN', 'the handler threw something that cannot be read')
  }
}

const errorOf = (thrown: unknown, map: MapError | undefined, hide: HideValues): CommandError => {
  const known = knownType(thrown)
  if (known !== undefined) {
    const error = thrown as TransientCommandError | PermanentCommandError | BusinessRuleError
    // a command error's message may be meant for the sender: its cause is not added
    const message = textOf(error.message) ?? `${textOf(error.code) ?? error.name} (no message)`
    return { ...failure(known, error.code, message, error.details, hide), ...traceOf(thrown, hide) }
  }
  const mapped = safely(map, thrown)
  const message = textOf(mapped?.message) ?? messageOf(thrown, hide)
  const code = mapped?.code ?? codeOf(thrown)
  return { ...failure(mapped?.type ?? 'TRANSIENT', code, message, undefined, hide), ...traceOf(thrown, hide) }
}

export const failure = (
  type: ErrorType,
  code: string,
  message: string,
  details?: unknown,
  hide: HideValues = hidesNothing,
): CommandError => {
  const json = details === undefined ? undefined : parseJson(details)
  return {
    type,
    code: storableText(hide(String(code)), MAX_CODE) || 'UNKNOWN',
    message: maskedText(String(message), hide),
    ...(json === undefined
      ? {}
      : { details: isLeft(json) ? `details were left out: ${json.left}` : maskJson(json.right, hide) }),
  }
}

const knownType = (thrown: unknown): HandlerErrorType | undefined => {
  if (thrown instanceof BusinessRuleError) return 'BUSINESS_RULE'
  if (thrown instanceof PermanentCommandError) return 'PERMANENT'
  return thrown instanceof TransientCommandError ? 'TRANSIENT' : undefined
}

const safely = (map: MapError | undefined, thrown: unknown): MappedError | undefined => {
  try {
    return map?.(thrown)
  } catch {
    return undefined
  }
}
