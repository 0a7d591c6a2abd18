import { isLeft } from 'fp-ts/lib/Either.js'
import type { Decoder } from 'io-ts'
import type { Json } from '../../domain/json/json.ts'
import { faultsOf } from '../codec/json.ts'
import { codeOf } from '../worker/failures/thrown.ts'

/** What the codec of a handler finds wrong with a payload. */
export const schemaFaults = async (schema: Decoder<unknown, unknown>, data: Json): Promise<readonly string[]> => {
  try {
    const decoded = schema.decode(data)
    return isLeft(decoded) ? faultsOf(decoded.left, 'data') : []
  } catch (thrown) {
    return [`data: its schema fails on it (${codeOf(thrown)})`]
  }
}
