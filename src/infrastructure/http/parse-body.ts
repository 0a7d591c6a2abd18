import { CommandBusError } from '../../application/errors.ts'
import { numberFault } from '../../domain/json-numbers.ts'
import { RequestError } from './problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON of a body. Numbers that would be rounded are refused as they are written; a member named `__proto__` is one
 * like any other, as in the library. @throws CommandBusError
 */
export const parseBody = (body: Buffer): unknown => {
  const text = textOf(body)
  const value = valueOf(text)
  const fault = numberFault(text)
  if (fault !== null) throw new RequestError([{ path: fault.path || 'body', message: fault.message }])
  return value
}

const textOf = (body: Buffer): string => {
  try {
    return utf8.decode(body)
  } catch {
    throw new CommandBusError('INVALID_REQUEST', 'the body is not valid UTF-8')
  }
}

const valueOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandBusError('INVALID_REQUEST', 'the body is not valid JSON')
  }
}
