import { isLeft } from 'fp-ts/lib/Either.js'
import { faultsOf } from '../codec/json.ts'
import type { AnyHandler } from '../worker/attempt/handler.ts'

/** What a handler's codec finds in a payload, as a worker would, each with its path; empty: it fits, or there is no codec. */
export const payloadFaults = async ({ payload }: AnyHandler, data: unknown): Promise<readonly string[]> => {
  if (payload === undefined) return []
  const decoded = payload.decode(data)
  return isLeft(decoded) ? faultsOf(decoded.left, 'data') : []
}
