import { type Campaign, stageTargets } from '../../domain/campaign/campaign.ts'
import type { ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../domain/command/parking.ts'
import { type WaitsFor, waitsForOf } from '../acting/next-piece.ts'
import { PlanChangedError, printIn, tokenOf } from '../acting/plan-token.ts'
import type {
  ActionChange,
  ActionItem,
  ActionListFilter,
  ActionRecord,
  ActionStatus,
  ActionStore,
  BecameCounts,
  ItemListFilter,
} from '../ports/action-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'
import { commandIdOf, instantOf, optional } from '../shared/input.ts'
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
  /** Why it ended early, or is paused. */
  readonly note: string | null
  /** Stages, rate, hours and rule, as they were asked for. */
  readonly campaign: Campaign
  /** The stage that is sent now, from 1, and how many commands are sent when each stage is. */
  readonly stage: number
  readonly stageTargets: readonly number[]
  /** What it waits for before it sends more; null: nothing, or it is over. */
  readonly waitsFor: WaitsFor | 'stage' | null
  /** Until then nothing is done, and a stop undoes all of it. Null: it began at once. */
  readonly startsAt: string | null
  readonly createdAt: string
  readonly updatedAt: string
  /** Of a retry, in the answer about one action: what became of the commands that were sent again. */
  readonly became?: BecameCounts
  /** In the answer about one action: who changed its status or stage and when, oldest first; the latest 200. */
  readonly changes?: readonly ActionChange[]
  readonly items?: Page<ActionItem>
}

/** What `actions.get` returns of an action. */
export interface GetActionOptions {
  /** Only this tenant's actions; others count as unknown. Null or absent: all. */
  readonly tenantId?: string | null
  /** A page of its items, in their order. */
  readonly items?: ItemListFilter
  /** ISO 8601: the action as it was at this instant, with what had become of its commands; null before it was started. */
  readonly at?: string
}

/** There is no action with this id, or it belongs to another tenant. */
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
 * @throws InvalidInputError, PlanChangedError (with `planToken`)
 */
export const startAction =
  ({ store, clock, ids }: ActionDeps) =>
  async (options: BulkActionOptions): Promise<ActionView> => {
    const action = actionOf(options, clock.now().toISOString())
    const plan = optional(options.planToken, printIn)
    if (plan !== null && plan.options !== (await tokenOf(action, plan)).options)
      throw new PlanChangedError([], 'options')
    const record = await store.create({ ...action, id: ids.next() }, plan?.print)
    if (record !== null) return toActionView(record)
    throw new PlanChangedError(plan === null ? [] : await store.changesSince(action, plan.snapshot).catch(() => []))
  }

/** The action, or null. @throws InvalidInputError */
export const getAction =
  ({ store }: Pick<ActionDeps, 'store'>) =>
  async (id: string, { tenantId, items, at }: GetActionOptions = {}): Promise<ActionView | null> => {
    const wanted = items === undefined ? undefined : itemListOf(items)
    const then = optional(at, given => instantOf(given, 'at'))
    const record = await store.get(commandIdOf(id, 'actionId'))
    if (record === null || !isVisible(record, tenantId)) return null
    const isRetry = record.details.action === 'retry'
    if (isRetry) await store.settle(record.id)
    if (then !== null) return viewAt(store, record, then)
    return {
      ...toActionView(record),
      ...(isRetry ? { became: await store.becameOf(record.id) } : {}),
      changes: await store.changes(record.id),
      ...(wanted === undefined ? {} : { items: await store.items(record.id, wanted) }),
    }
  }

const viewAt = async (store: ActionStore, record: ActionRecord, at: string): Promise<ActionView | null> => {
  const then = await store.stateAt(record.id, at)
  if (then === null) return null
  const { by: _, at: updatedAt, ...state } = then
  const view = toActionView({ ...record, ...state, updatedAt, now: at })
  if (record.details.action !== 'retry') return view
  const { running: __, ...ended } = await store.becameOf(record.id, at)
  const over = Object.values(ended).reduce((sum, n) => sum + n, 0)
  return { ...view, became: { ...ended, running: Math.max(0, then.succeeded - over) } }
}

/** Actions, newest first. @throws InvalidInputError */
export const listActions =
  ({ store }: Pick<ActionDeps, 'store'>) =>
  async (filter: ActionListFilter = {}): Promise<Page<ActionView>> => {
    const { items, nextCursor } = await store.list(actionListOf(filter))
    return { items: items.map(toActionView), nextCursor }
  }

/** An action on all tenants' commands is visible only to callers that can reach all tenants. */
export const isVisible = ({ tenantId }: ActionRecord, wanted: string | null | undefined): boolean =>
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
  campaign: record.campaign,
  stage: record.stage,
  stageTargets: stageTargets(record),
  waitsFor: waitsForOf(record),
  startsAt: record.startsAt,
  createdAt: record.createdAt,
  updatedAt: record.updatedAt,
})

/** Nothing more will happen to it. */
export const isOver = ({ status }: { readonly status: ActionStatus }): boolean =>
  status !== 'RUNNING' && status !== 'WAITING_FOR_CANARY' && status !== 'PAUSED'
