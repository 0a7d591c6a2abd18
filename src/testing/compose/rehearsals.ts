import { isLeft } from 'fp-ts/lib/Either.js'
import type { Rehearsals } from '../../application/ports/rehearsals.ts'
import { faultsOf } from '../../infrastructure/codec/json.ts'
import type { knownHandlers } from '../../infrastructure/rehearsal/known-handlers.ts'
import { refused } from '../memory/refusals.ts'

/** Checks payloads against the codecs of the handlers; runs none of them. */
export const createChecks = (handlers: ReturnType<typeof knownHandlers>): Rehearsals => ({
  domains: async () => [...handlers.domains()].sort(),
  faultsOf: async (domain, commandType, data) => {
    const decoded = handlers.of(domain)?.handlerOf(commandType)?.payload?.decode(data)
    return decoded === undefined || !isLeft(decoded) ? [] : faultsOf(decoded.left, 'data')
  },
  run: refused('rehearsals'),
})
