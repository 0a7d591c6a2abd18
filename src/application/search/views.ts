import { parkedConditions } from '../../domain/command/parking.ts'
import { type View, type ViewedList, type ViewOwner, type ViewStore, viewedLists } from '../ports/search/views.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError, InvalidInputError } from '../shared/errors.ts'
import { booleanOf, oneOf, optional, textOf } from '../shared/input.ts'

/** Who keeps a view. */
export interface ViewUser {
  readonly subject: string
  readonly tenant: string | null
}

/** A view: filters of a list, under a name. */
export interface SetView {
  readonly list: ViewedList
  /** Names of the list's filters with their values, such as `{ status: 'FAILED' }`, or `from: '-1h'` for an hour ago. */
  readonly filter: { readonly [name: string]: string }
  /** Everybody of the tenant sees it. Default false. */
  readonly shared?: boolean
}

/** There is no view of this name that the caller can see. */
export class ViewNotFoundError extends CommandBusError {
  override readonly name = 'ViewNotFoundError'
  constructor(name: string) {
    super('NOT_FOUND', `there is no view '${name}'`)
  }
}

brandErrors({ ViewNotFoundError })

/** Of one subject, and shared ones of one tenant. */
const MOST_VIEWS = 100
const MAX_NAME = 100

/** The filters of each list, as addresses name them. */
const filtersOf: Readonly<Record<ViewedList, readonly string[]>> = {
  commands: [
    'domain',
    'status',
    'commandType',
    'errorCode',
    'correlationId',
    'createdAfter',
    'createdBefore',
    'scheduled',
    'payload',
    'idPrefix',
    'message',
    'retrying',
    'sort',
  ],
  troubleshooting: [...parkedConditions.map(([name]) => name), 'view', 'sort'],
}

/** Named filters of lists, for one person or for everybody of a tenant. @throws InvalidInputError */
export const createViews = (store: ViewStore) => ({
  /** One's own views and the shared ones, by name. */
  list: async (user: ViewUser): Promise<readonly View[]> => store.list(ownerOf(user)),

  /** One's own view of this name, or else the shared one. @throws ViewNotFoundError */
  get: async (user: ViewUser, name: string): Promise<View> => {
    const wanted = nameOf(name)
    const found = (await store.list(ownerOf(user))).filter(view => view.name === wanted)
    const view = found.find(({ shared }) => !shared) ?? found[0]
    if (view === undefined) throw new ViewNotFoundError(wanted)
    return view
  },

  /** Makes a view, or replaces the one of this name. */
  set: async (user: ViewUser, name: string, options: SetView): Promise<View> => {
    const list = oneOf(viewedLists, options.list, 'list')
    const owner = ownerOf(user)
    const view = {
      name: nameOf(name),
      list,
      filter: filterOf(list, options.filter),
      shared: optional(options.shared, value => booleanOf(value, 'shared')) ?? false,
      actor: owner.subject,
    }
    const set = await store.set(owner, view, MOST_VIEWS)
    if (set === null) throw new InvalidInputError('name', `there are ${MOST_VIEWS} views already: delete one first`)
    return set
  },

  /** Deletes one's own view of this name, or with `shared` the shared one. @throws ViewNotFoundError */
  delete: async (user: ViewUser, name: string, options: { readonly shared?: boolean } = {}): Promise<View> => {
    const wanted = nameOf(name)
    const deleted = await store.delete(ownerOf(user), wanted, options.shared === true)
    if (deleted === null) throw new ViewNotFoundError(wanted)
    return deleted
  },
})

/** Views of one person, and those that are shared in its tenant. @interface */
export type Views = ReturnType<typeof createViews>

const ownerOf = ({ subject, tenant }: ViewUser): ViewOwner => ({
  subject: textOf(subject, 'subject', 200),
  tenant: optional(tenant, value => textOf(value, 'tenant', 128)) ?? '',
})

const nameOf = (value: unknown): string => textOf(value, 'name', MAX_NAME).trim()

const filterOf = (list: ViewedList, given: unknown): View['filter'] => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidInputError('filter', 'must be an object of names and texts, such as { "status": "FAILED" }')
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (!filtersOf[list].includes(name)) {
        throw new InvalidInputError(
          'filter',
          `'${name.slice(0, 80)}' is not a filter of this list: use ${filtersOf[list].join(', ')}`,
        )
      }
      return [name, textOf(value, `filter.${name}`)]
    }),
  )
}
