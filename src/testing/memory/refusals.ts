import { brandErrors } from '../../application/shared/brand.ts'
import { CommandBusError } from '../../application/shared/errors.ts'

/** A bus in memory does not do this: test it against PostgreSQL. Nothing was done. */
export class NotInMemoryError extends CommandBusError {
  override readonly name = 'NotInMemoryError'
  constructor(what: string) {
    super('NOT_IN_MEMORY', `a bus in memory has no ${what}: test this with PostgreSQL, see docs/testing.md`)
  }
}

brandErrors({ NotInMemoryError })

/** An object whose calls are all refused with this sentence; `target` may be a function that is called. */
export const refusedCalls = <Calls extends object>(what: string, target: object = {}): Calls =>
  new Proxy(target as Calls, {
    // a promise would be resolved by its `then`
    get: (_, name) => (name === 'then' || typeof name === 'symbol' ? undefined : refused(what)),
  })

export const refused = (what: string) => async (): Promise<never> => {
  throw new NotInMemoryError(what)
}
