/** Lists whose filters can be kept under a name. */
export const viewedLists = ['commands', 'troubleshooting'] as const
export type ViewedList = (typeof viewedLists)[number]

/** A named filter of a list. Times are ISO 8601. */
export interface View {
  readonly name: string
  readonly list: ViewedList
  /** The filter as an address of the console or of HTTP has it. */
  readonly filter: { readonly [name: string]: string }
  /** Whether everybody of the tenant sees it. */
  readonly shared: boolean
  readonly updatedBy: string
  readonly updatedAt: string
}

/** Whose views: those of one subject of a tenant (`''`: none), and those that are shared there. */
export interface ViewOwner {
  readonly tenant: string
  readonly subject: string
}

export interface ViewStore {
  readonly list: (owner: ViewOwner) => Promise<readonly View[]>
  /** Makes or replaces it; null: the owner has `most` views already. */
  readonly set: (
    owner: ViewOwner,
    view: Pick<View, 'name' | 'list' | 'filter' | 'shared'> & { readonly actor: string },
    most: number,
  ) => Promise<View | null>
  readonly delete: (owner: ViewOwner, name: string, shared: boolean) => Promise<View | null>
}
