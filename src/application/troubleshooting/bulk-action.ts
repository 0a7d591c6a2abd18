import type { ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../domain/command/parking.ts'
import type {
  ActionItem,
  ActionListFilter,
  ActionRecord,
  ActionStatus,
  ActionStore,
  ItemListFilter,
} from '../ports/action-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'
import { commandIdOf, textOf } from '../shared/input.ts'
import { actionListOf, actionOf, itemListOf } from './action-input.ts'
import type { BulkActionOptions } from './operator-options.ts'

/** The progress of an action. Times are ISO 8601. */
export interface ActionView {
  readonly actionId: string
  readonly action: ParkedAction
  readonly status: ActionStatus
  readonly total: number
  readonly succeeded: number
  /** Failed items; each has the reason. */
  readonly failed: number
  /** Items left unchanged, because another change came first or the action ended early; each has the reason. */
  readonly skipped: number
  readonly canary: number | null
  readonly criteria: { readonly filter: ActionFilter } | { readonly ids: number }
  readonly operator: string
  readonly tenantId: string | null
  /** Why it ended early. */
  readonly note: string | null
  readonly createdAt: string
  readonly updatedAt: string
  readonly items?: Page<ActionItem>
}

export interface GetActionOptions {
  /** Only this tenant's actions; others count as unknown. Null or absent: all. */
  readonly tenantId?: string | null
  /** A page of its items, in their order. */
  readonly items?: ItemListFilter
}

export interface StopActionOptions {
  readonly operator: string
  readonly tenantId?: string | null
}

export class ActionNotFoundError extends CommandBusError {
  override readonly name = 'ActionNotFoundError'
  constructor(actionId: string) {
    super('ACTION_NOT_FOUND', `no action ${actionId}`)
  }
}

brandErrors({ ActionNotFoundError })

export interface ActionDeps {
  readonly store: ActionStore
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * Selects commands that are parked now, by the options, and returns at once; a runner does the work. Commands that were
 * named and cannot be selected are items too, with the reason.
 * @throws InvalidInputError
 */
export const startAction =
  ({ store, clock, ids }: ActionDeps) =>
  async (options: BulkActionOptions): Promise<ActionView> =>
    toActionView(await store.create({ ...actionOf(options, clock.now().toISOString()), id: ids.next() }))

/** The action, or null. @throws InvalidInputError */
export const getAction =
  ({ store }: Pick<ActionDeps, 'store'>) =>
  async (id: string, { tenantId, items }: GetActionOptions = {}): Promise<ActionView | null> => {
    const wanted = items === undefined ? undefined : itemListOf(items)
    const record = await store.get(commandIdOf(id, 'actionId'))
    if (record === null || !isVisible(record, tenantId)) return null
    return wanted === undefined
      ? toActionView(record)
      : { ...toActionView(record), items: await store.items(record.id, wanted) }
  }

/** Actions, newest first. @throws InvalidInputError */
export const listActions =
  ({ store }: Pick<ActionDeps, 'store'>) =>
  async (filter: ActionListFilter = {}): Promise<Page<ActionView>> => {
    const { items, nextCursor } = await store.list(actionListOf(filter))
    return { items: items.map(toActionView), nextCursor }
  }

/**
 * Ends an action after its present batch; the remaining items are SKIPPED. A finished action does not change.
 * @throws ActionNotFoundError, InvalidInputError
 */
export const stopAction =
  ({ store, clock }: Pick<ActionDeps, 'store' | 'clock'>) =>
  async (id: string, { operator, tenantId }: StopActionOptions): Promise<ActionView> => {
    const who = textOf(operator, 'operator', 200)
    const get = getAction({ store })
    const before = await get(id, { tenantId: tenantId ?? null })
    if (before === null) throw new ActionNotFoundError(id)
    await store.take(before.actionId, { wait: true }, taken =>
      taken.end('STOPPED', `stopped by ${who}`, clock.now().toISOString()),
    )
    return (await get(id)) ?? before
  }

/** An action on all tenants' commands is visible only to callers that can reach all tenants. */
const isVisible = ({ tenantId }: ActionRecord, wanted: string | null | undefined): boolean =>
  wanted === undefined || wanted === null || tenantId === wanted

export const toActionView = (record: ActionRecord): ActionView => ({
  actionId: record.id,
  action: record.details.action,
  status: record.status,
  total: record.total,
  succeeded: record.succeeded,
  failed: record.failed,
  skipped: record.skipped,
  canary: record.canary,
  criteria: record.criteria,
  operator: record.operator,
  tenantId: record.tenantId,
  note: record.note,
  createdAt: record.createdAt,
  updatedAt: record.updatedAt,
})

/** Nothing more will happen to it. */
export const isOver = ({ status }: { readonly status: ActionStatus }): boolean =>
  status !== 'RUNNING' && status !== 'WAITING_FOR_CANARY'
