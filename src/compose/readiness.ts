import type { Pool } from 'pg'
import type { Log } from '../application/ports/log.ts'
import { UnavailableError } from '../application/shared/errors.ts'
import { toPublicError } from '../infrastructure/postgres/connection/errors.ts'
import { POOLED_TRANSACTIONS } from '../infrastructure/postgres/connection/pooling.ts'
import { assertOwnCluster } from '../infrastructure/postgres/log/own-cluster.ts'
import { assertSchemaCurrent } from '../infrastructure/postgres/schema/schema-version.ts'
import { poolingOf } from '../infrastructure/postgres/transactions/pool.ts'

export interface ReadinessDeps {
  readonly pool: Pool
  /** Begins to follow the log. */
  readonly begin: () => Promise<void>
  readonly log: Log
}

export type Guarded = <Args extends readonly unknown[], Result>(
  call: (...args: Args) => Promise<Result>,
) => (...args: Args) => Promise<Result>

type Calls<Names> = { readonly [Name in keyof Names]: (...args: never[]) => Promise<unknown> }

/** Checks the database before the first call, until one check has succeeded. After `takeNoMore` every call fails. */
export const createReadiness = ({ pool, begin, log }: ReadinessDeps) => {
  let checked: Promise<void> | null = null
  let ended = false

  const ready = (): Promise<void> => {
    checked ??= poolingOf(pool)
      .then(pooling => {
        if (pooling === 'transaction') log.info({}, POOLED_TRANSACTIONS)
        return assertSchemaCurrent(pool)
      })
      .then(() => assertOwnCluster(pool))
      .then(begin)
      .catch(error => {
        checked = null
        throw error
      })
    return checked
  }

  /** Makes a call wait for the schema check, and fail with a public error. */
  const guarded: Guarded =
    call =>
    async (...args) => {
      if (ended)
        throw new UnavailableError('this bus was closed: await what is under way before `close`, or make another')
      try {
        await ready()
        return await call(...args)
      } catch (error) {
        throw toPublicError(error)
      }
    }

  const guardedAll = <Names extends Calls<Names>>(calls: Names): Names =>
    Object.fromEntries(
      Object.entries<(...args: never[]) => Promise<unknown>>(calls).map(([name, call]) => [name, guarded(call)]),
    ) as unknown as Names

  return {
    ready,
    guarded,
    guardedAll,
    /** From now on every call fails. */
    takeNoMore: (): void => {
      ended = true
    },
  }
}

export type Readiness = ReturnType<typeof createReadiness>
