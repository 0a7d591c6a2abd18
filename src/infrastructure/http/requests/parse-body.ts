import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { type JsonFault, parseJsonText } from '../../../domain/json/json-text.ts'
import { RequestError } from './problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON of a body. Numbers that JavaScript would round are refused; a member named `__proto__` is an ordinary one, as in
 * the library. @throws CommandBusError
 */
export const parseBody = (body: Buffer): unknown => {
  const parsed = parsedOf(textOf(body))
  if (isLeft(parsed)) throw new RequestError([{ ...parsed.left, path: parsed.left.path || 'body' }])
  return parsed.right
}

const textOf = (body: Buffer): string => {
  try {
    return utf8.decode(body)
  } catch {
    throw new CommandBusError('INVALID_REQUEST', 'the body is not valid UTF-8')
  }
}

const parsedOf = (text: string): Either<JsonFault, unknown> => {
  try {
    return parseJsonText(text)
  } catch {
    throw new CommandBusError('INVALID_REQUEST', 'the body is not valid JSON')
  }
}
