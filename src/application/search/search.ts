import { pathFault } from '../../domain/json/payload-path.ts'
import type { Log } from '../ports/log.ts'
import type { Searchable, SearchableKey, SearchStore } from '../ports/search/searchable.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandTypeOf, domainOf, optional, textOf } from '../shared/input.ts'

/** Members of payloads that commands can be found by. */
export interface DeclareSearchOptions {
  /** Only commands of this domain. Default: of every domain. */
  readonly domain?: string
  readonly commandType: string
  /** Members of the payload, such as `orderId` or `customer.id`: 1-20. */
  readonly paths: readonly string[]
  /** Who declares it, for the record. Default `operator`. */
  readonly operator?: string
  /** False: returns before the commands that are there already can be found. Default true. */
  readonly wait?: boolean
}

/** The member that commands are no longer found by. */
export interface DropSearchOptions extends Omit<DeclareSearchOptions, 'paths' | 'operator' | 'wait'> {
  readonly path: string
}

const MOST_OF_A_TYPE = 20

/** What payloads can be searched by. A type without a declaration costs nothing. */
export const createSearch = (store: SearchStore, log: Log) => {
  /** Writes and removes values, also for calls of processes that have died. */
  const settle = async (): Promise<void> => {
    await store.fill()
    await store.tidy()
  }
  const inBackground = (): void =>
    void settle().catch(error => log.warn({ err: error }, 'values to search by are not complete: declare them again'))
  const keysOf = (options: DeclareSearchOptions): readonly SearchableKey[] => {
    const scope = scopeOf(options)
    const { paths } = options
    if (!Array.isArray(paths) || paths.length < 1 || paths.length > MOST_OF_A_TYPE) {
      throw new InvalidInputError('paths', `must be a list of 1 to ${MOST_OF_A_TYPE} members, such as customer.id`)
    }
    return paths.map((path, i) => ({ ...scope, path: searchPathOf(path, `paths[${i}]`) }))
  }

  return {
    /**
     * Makes commands of a type searchable by members of their payload: texts, numbers and booleans, by their first 200
     * characters. Commands that are there already are found when `filledAt` is set. A call that was interrupted is continued
     * by the next one.
     * @throws InvalidInputError
     * @example
     * await bus.search.declare({ commandType: 'Refund', paths: ['orderId', 'customer.id'] })
     * const { items } = await bus.queryCommands({ payload: { path: 'orderId', value: 'ORD-30021' } })
     */
    declare: async (options: DeclareSearchOptions): Promise<readonly Searchable[]> => {
      const keys = keysOf(options)
      const actor = optional(options.operator, value => textOf(value, 'operator', 200)) ?? 'operator'
      const known = await store.list()
      const isOf = (one: SearchableKey): boolean =>
        one.commandType === keys[0]?.commandType && one.domain === keys[0]?.domain
      const all = new Set([...known.filter(isOf), ...keys].map(({ path }) => path))
      if (all.size > MOST_OF_A_TYPE) {
        throw new InvalidInputError('paths', `a type has at most ${MOST_OF_A_TYPE} in one domain: remove some first`)
      }
      await store.declare(keys, actor)
      if (options.wait === false) inBackground()
      else await settle()
      return (await store.list()).filter(one => keys.some(key => isSame(one, key)))
    },

    /** Ends a declaration: commands can no longer be found by this member. False: it was not declared. @throws InvalidInputError */
    drop: async (options: DropSearchOptions & Pick<DeclareSearchOptions, 'wait'>): Promise<boolean> => {
      const dropped = await store.drop({ ...scopeOf(options), path: searchPathOf(options.path, 'path') })
      if (options.wait === false) inBackground()
      else await settle()
      return dropped
    },

    /** What is declared, by type. */
    declared: async (): Promise<readonly Searchable[]> => store.list(),

    /** Continues what interrupted calls have begun; the service does so when it starts. */
    settle,
  }
}

/** What payloads are searched by. @interface */
export type Search = ReturnType<typeof createSearch>

const searchPathOf = (value: unknown, field: string): string => {
  const fault = typeof value === 'string' ? pathFault(value) : 'must be a text'
  if (fault !== null) throw new InvalidInputError(field, fault)
  return value as string
}

const scopeOf = (options: Pick<DeclareSearchOptions, 'domain' | 'commandType'>) => ({
  domain: optional(options.domain, domainOf),
  commandType: commandTypeOf(options.commandType),
})

const isSame = (a: SearchableKey, b: SearchableKey): boolean =>
  a.domain === b.domain && a.commandType === b.commandType && a.path === b.path
