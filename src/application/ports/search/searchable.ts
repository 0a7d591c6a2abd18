/** A member of payloads that commands can be found by. Times are ISO 8601. */
export interface Searchable {
  /** Null: in every domain. */
  readonly domain: string | null
  readonly commandType: string
  /** A member of the payload, such as `orderId` or `customer.id`. */
  readonly path: string
  readonly declaredBy: string
  readonly declaredAt: string
  /** Since when commands that were sent before can be found, too; null: not all of them yet. */
  readonly filledAt: string | null
}

export type SearchableKey = Pick<Searchable, 'domain' | 'commandType' | 'path'>

export interface SearchStore {
  /** By type, path and domain. */
  readonly list: () => Promise<readonly Searchable[]>
  /** Leaves those that are declared already as they are. */
  readonly declare: (keys: readonly SearchableKey[], actor: string) => Promise<void>
  /** Whether it was declared. Its values are removed by the next `tidy`. */
  readonly drop: (key: SearchableKey) => Promise<boolean>
  /** Writes the values of commands that were sent before a declaration. Goes on where an interrupted one has ended. */
  readonly fill: () => Promise<void>
  /** Removes the values of paths that are not declared any more. */
  readonly tidy: () => Promise<void>
}
