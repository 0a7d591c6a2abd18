import type { Rehearsals } from '../../application/ports/rehearsals.ts'
import type { knownHandlers } from '../../infrastructure/rehearsal/known-handlers.ts'
import { schemaFaults } from '../../infrastructure/rehearsal/payload.ts'
import { refused } from '../memory/refusals.ts'

/** Checks payloads against the schemas of the handlers; runs none of them. */
export const createChecks = (handlers: ReturnType<typeof knownHandlers>): Rehearsals => ({
  domains: async () => [...handlers.domains()].sort(),
  faultsOf: async (domain, commandType, data) => {
    const schema = handlers.of(domain)?.handlerOf(commandType)?.payload
    return schema === undefined ? [] : schemaFaults(schema, data)
  },
  run: refused('rehearsals'),
})
