import { isLeft } from 'fp-ts/lib/Either.js'
import { BusinessRuleError, PermanentCommandError, TransientCommandError } from '../../application/command-errors.ts'
import { parseJson, storableText } from '../../application/json.ts'
import { HIDDEN, isSecretName, maskSecrets } from '../../application/mask-secrets.ts'
import type { CommandError, ErrorType, Json } from '../../domain/command/events.ts'

export type HandlerErrorType = Extract<ErrorType, 'TRANSIENT' | 'PERMANENT' | 'BUSINESS_RULE'>

export interface MappedError {
  readonly type: HandlerErrorType
  readonly code?: string
  readonly message?: string
}

/** Says how an error that is none of the command errors is to be treated; undefined: as a transient one. */
export type MapError = (error: unknown) => MappedError | undefined

const MAX_CODE = 200

/** What a handler threw, as the error of the event. Anything can be thrown, also what has no text. */
export const failureOf = (thrown: unknown, map: MapError | undefined): CommandError => {
  try {
    return errorOf(thrown, map)
  } catch {
    return failure('TRANSIENT', 'UNKNOWN', 'the handler threw something that cannot be read')
  }
}

const errorOf = (thrown: unknown, map: MapError | undefined): CommandError => {
  const known = knownType(thrown)
  if (known !== undefined) {
    const error = thrown as TransientCommandError | PermanentCommandError | BusinessRuleError
    return failure(known, error.code, error.message, error.details)
  }
  const mapped = safely(map, thrown)
  return failure(mapped?.type ?? 'TRANSIENT', mapped?.code ?? className(thrown), mapped?.message ?? messageOf(thrown))
}

export const failure = (type: ErrorType, code: string, message: string, details?: unknown): CommandError => {
  const json = details === undefined ? undefined : parseJson(details)
  return {
    type,
    code: storableText(String(code), MAX_CODE) || 'UNKNOWN',
    message: storableText(maskSecrets(String(message))),
    ...(json === undefined
      ? {}
      : { details: isLeft(json) ? `details were left out: ${json.left}` : maskJson(json.right) }),
  }
}

/** Details with every text masked. */
const maskJson = (value: Json): Json => {
  if (typeof value === 'string') return maskSecrets(value)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(maskJson)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, isSecretName(name) ? HIDDEN : maskJson(member)]),
  )
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

const className = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.constructor.name || thrown.name : typeof thrown

/** Not everything that is thrown is an error: an object says what it says, or is shown as JSON. */
const messageOf = (thrown: unknown): string => {
  if (thrown instanceof Error) return thrown.message
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  if ('message' in thrown && typeof thrown.message === 'string') return thrown.message
  const json = parseJson(thrown)
  return isLeft(json) ? 'an object was thrown that cannot be shown' : JSON.stringify(maskJson(json.right))
}
