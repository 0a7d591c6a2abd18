import type { CommandEvent, Json } from '../domain/command/events.ts'
import { historyOf } from '../domain/command/history.ts'
import { OPERATIONS_DOMAIN } from '../domain/operation/policy.ts'
import type { Recorded } from '../domain/recorded.ts'
import { correlationIdOf, instantOf, optional, textOf } from './input.ts'
import type { Clock } from './ports/clock.ts'
import type { CommandView, TroubleshootingFilter, TroubleshootingItem } from './ports/command-queries.ts'
import type { EventStore } from './ports/event-store.ts'
import type { CausalFilter, InvestigationQueries } from './ports/investigation.ts'
import { troubleshootingFilterOf } from './read-commands.ts'

export interface InvestigateDeps {
  readonly queries: InvestigationQueries
  readonly store: Pick<EventStore<CommandEvent>, 'readStreams'>
  readonly clock: Clock
}

export interface ParkedAtOptions extends TroubleshootingFilter {
  /** ISO 8601; now when it is left out. */
  readonly at?: string
}

export interface ParkedAtPage {
  /** The instant that was looked at. */
  readonly at: string
  /** As they stood then, newest parking first. */
  readonly items: readonly ParkedThenItem[]
  /** A page may be short, or empty, and not the last: it looks at 20,000 parkings at most. */
  readonly nextCursor: string | null
}

export type ParkedThenItem = TroubleshootingItem & { readonly parkedAt: string; readonly revision: number }

/**
 * The troubleshooting queue as it was at an instant, from the log. Walks back from there through what was parked before:
 * a page costs one look for each parking it passes, so an instant long ago with few parked commands costs as many pages as
 * there were parkings since, a page for each 20,000. @throws InvalidInputError
 */
export const readParkedAt =
  ({ queries, store, clock }: InvestigateDeps) =>
  async (options: ParkedAtOptions = {}): Promise<ParkedAtPage> => {
    const at = optional(options.at, value => instantOf(value, 'at')) ?? clock.now().toISOString()
    const { items, nextCursor } = await queries.parkedAt({ ...troubleshootingFilterOf(options), at })
    const streams = await store.readStreams(items.map(({ stream }) => stream))
    return {
      at,
      nextCursor,
      items: items.map(({ domain, commandId, stream, revision }) => ({
        domain,
        commandId,
        ...asItStood(streams.get(stream) ?? [], revision),
      })),
    }
  }

const asItStood = (
  events: readonly Recorded<CommandEvent>[],
  revision: number,
): Omit<ParkedThenItem, 'domain' | 'commandId'> => {
  const state = historyOf(events.slice(0, revision + 1)).at(-1)?.state
  if (state === undefined) throw new Error('a parked command without events')
  return {
    commandType: state.commandType,
    attempts: state.attempts,
    maxAttempts: state.maxAttempts,
    parkedReason: state.parkedReason ?? '',
    lastErrorType: state.lastErrorType,
    lastErrorCode: state.lastErrorCode,
    lastErrorMsg: state.lastErrorMsg,
    correlationId: state.correlationId,
    replyTo: state.replyTo,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    payload: state.data as Json,
    parkedAt: state.parkedAt ?? state.updatedAt,
    revision,
  }
}

/** A command in the tree of what caused what. */
export interface CausalNode extends CommandView {
  readonly kind: 'command' | 'operation'
  /** Index in the list of what it came from; null at a root. */
  readonly cause: number | null
  /** `parent`: it is a retry by hand of that operation; `causation`: its sender named that command as the cause. */
  readonly via: 'parent' | 'causation' | null
  /** Steps below its root. */
  readonly depth: number
}

export interface CausalTree {
  readonly correlationId: string
  /** Each one after what it came from, siblings oldest first. */
  readonly items: readonly CausalNode[]
  /** There are more than were read. */
  readonly truncated: boolean
}

export const MAX_NODES = 1000

/** Everything that belongs to a correlation id, and what caused what. @throws InvalidInputError */
export const readCorrelation =
  (queries: Pick<InvestigationQueries, 'related'>) =>
  async (correlationId: string, options: Pick<CausalFilter, 'tenantId'> = {}): Promise<CausalTree> => {
    const id = correlationIdOf(correlationId)
    const tenantId = optional(options.tenantId, value => textOf(value, 'tenantId', 128))
    const found = await queries.related(
      { correlationId: id, ...(tenantId === null ? {} : { tenantId }) },
      MAX_NODES + 1,
    )
    return { correlationId: id, items: treeOf(found.slice(0, MAX_NODES)), truncated: found.length > MAX_NODES }
  }

interface Cause {
  readonly view: CommandView
  readonly via: 'parent' | 'causation'
}

/** Depth first from the roots. What is in a circle hangs below its oldest member. */
export const treeOf = (commands: readonly CommandView[]): readonly CausalNode[] => {
  const byId = grouped(commands, ({ commandId }) => commandId)
  const causeOf = (view: CommandView): Cause | null => {
    const parent = byId.get(view.parentCommandId ?? '')?.find(({ domain }) => domain === view.domain)
    if (parent !== undefined && parent !== view) return { view: parent, via: 'parent' }
    const cause = byId.get(view.causationId?.toLowerCase() ?? '')?.find(one => one !== view)
    return cause === undefined ? null : { view: cause, via: 'causation' }
  }
  const causes = new Map(commands.map(view => [view, causeOf(view)]))
  const children = grouped(commands, view => causes.get(view)?.view ?? null)
  const items: CausalNode[] = []
  const seen = new Set<CommandView>()
  const add = (root: CommandView): void => {
    const open: (readonly [view: CommandView, above: number | null, depth: number])[] = [[root, null, 0]]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [view, cause, depth] = next
      if (seen.has(view)) continue
      seen.add(view)
      const via = cause === null ? null : (causes.get(view)?.via ?? null)
      const kind = view.domain === OPERATIONS_DOMAIN ? 'operation' : 'command'
      const index = items.push({ ...view, kind, cause, via, depth }) - 1
      const below = children.get(view) ?? []
      for (let i = below.length - 1; i >= 0; i--) open.push([below[i] as CommandView, index, depth + 1])
    }
  }
  for (const root of children.get(null) ?? []) add(root)
  for (const view of commands) add(view)
  return items
}

const grouped = <K>(
  commands: readonly CommandView[],
  keyOf: (view: CommandView) => K,
): ReadonlyMap<K, CommandView[]> => {
  const groups = new Map<K, CommandView[]>()
  for (const view of commands) {
    const key = keyOf(view)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [view])
    else group.push(view)
  }
  return groups
}
