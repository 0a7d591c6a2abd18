import { parkedColumns, pick } from '../../domain/command/columns.ts'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { historyOf } from '../../domain/command/history.ts'
import { meets } from '../../domain/command/parking.ts'
import { staying } from '../../domain/command/transitions.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { troubleshootingFilterOf } from '../commands/read-commands.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { CommandView, TroubleshootingFilter, TroubleshootingItem } from '../ports/reading/command-queries.ts'
import type { CausalFilter, InvestigationQueries, StatusCount } from '../ports/reading/investigation.ts'
import { cutMember, cutMessage } from '../shared/cut-json.ts'
import { correlationIdOf, instantOf, optional } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'
import { type CausalNode, runOfJob, treeOf } from './causal-tree.ts'

export interface InvestigateDeps {
  readonly queries: InvestigationQueries
  readonly store: Pick<EventStore<CommandEvent>, 'readStreams'>
  readonly clock: Clock
}

/** Which commands that were parked at an instant `troubleshooting.listAt` returns. */
export interface ParkedAtOptions extends Omit<TroubleshootingFilter, 'sort' | 'counted'> {
  /** ISO 8601. Default: now. */
  readonly at?: string
}

/** A page of the commands that were parked at an instant. */
export interface ParkedAtPage {
  /** The instant of this page. */
  readonly at: string
  /** In their state at that instant, newest parking first. */
  readonly items: readonly ParkedThenItem[]
  /** Null: the last page. Other pages may be short or empty too, because a page reads at most 20,000 parkings. */
  readonly nextCursor: string | null
}

/** A command that was parked at an instant, as it was then; `revision` is its last event by then. */
export type ParkedThenItem = TroubleshootingItem & { readonly parkedAt: string; readonly revision: number }

/**
 * The troubleshooting queue as it was at an instant, from the log. It goes back from there through earlier
 * parkings, at most 20,000 in a page. If few of them were still parked at that instant, many pages are short or empty.
 * @throws InvalidInputError
 */
export const readParkedAt =
  ({ queries, store, clock }: InvestigateDeps) =>
  async (options: ParkedAtOptions = {}): Promise<ParkedAtPage> => {
    const at = optional(options.at, value => instantOf(value, 'at')) ?? clock.now().toISOString()
    const filter = troubleshootingFilterOf(options)
    const { items, nextCursor } = await queries.parkedAt({ ...filter, at })
    const found: ParkedThenItem[] = []
    for (let i = 0; i < items.length; i += PIECE) {
      const piece = items.slice(i, i + PIECE)
      const streams = await store.readStreams(piece.map(({ stream }) => stream))
      for (const { domain, commandId, stream, revision } of piece) {
        const item = asItStood({ domain, commandId }, streams.get(stream) ?? [], revision, at)
        if (meets(filter, item, at)) found.push(item)
      }
    }
    return { at, nextCursor, items: found }
  }

/** Streams in memory at a time; they are read whole, with payloads. */
const PIECE = 25

/** Its state after the event that parked it, and after later events up to the instant that left it parked. */
const asItStood = (
  key: CommandKey,
  events: readonly Recorded<CommandEvent>[],
  parkedBy: number,
  at: Instant,
): ParkedThenItem => {
  const then = events.filter(
    ({ revision, event }) => revision <= parkedBy || (event.at <= at && staying.includes(event.type)),
  )
  const state = historyOf(then).at(-1)?.state
  if (state === undefined) throw new Error('a parked command without events')
  return {
    ...pick({ ...key, ...state }, parkedColumns),
    parkedReason: state.parkedReason ?? '',
    lastErrorMsg: cutMessage(state.lastErrorMsg),
    ...cutMember('payload', state.data),
    parkedAt: state.parkedAt ?? state.updatedAt,
    revision: state.revision,
  }
}

/** All that has one correlation id, and what caused what. */
export interface CausalTree {
  readonly correlationId: string
  /** Each item after its cause, siblings oldest first. */
  readonly items: readonly CausalNode[]
  /**
   * There are more than 1,000 items. The list then has, in this order of precedence: runs and charges, failed and parked
   * commands, the causes of those, and unfinished commands.
   */
  readonly truncated: boolean
  /** If `truncated`: the commands with this correlation id that are not in `items`, by status. */
  readonly notShown: readonly StatusCount[]
}

export const MAX_NODES = 1000

/**
 * The causal tree of a correlation id. A run's id is the correlation id of its jobs: the run and its charges come first.
 * If there are too many commands, failed and parked ones take precedence, and the others are counted.
 * @throws InvalidInputError
 */
export const readCorrelation =
  (queries: Pick<InvestigationQueries, 'related' | 'relatedFirst' | 'relatedRuns'>) =>
  async (correlationId: string, options: Pick<CausalFilter, 'tenantId'> = {}): Promise<CausalTree> => {
    const id = correlationIdOf(correlationId)
    const tenantId = optional(options.tenantId, scopedTenantOf)
    const scope = tenantId === null ? {} : { tenantId }
    const oldest = await queries.related({ correlationId: id, ...scope }, MAX_NODES + 1)
    const runIds = new Set([id, ...oldest.flatMap(({ causationId }) => runOfJob(causationId) ?? [])])
    const { runs, entries } = await queries.relatedRuns({ runIds: [...runIds], ...scope }, MAX_NODES + 1)
    const truncated = runs.length + entries.length + oldest.length > MAX_NODES
    const shown = runs.slice(0, MAX_NODES)
    const paid = entries.slice(0, MAX_NODES - shown.length)
    const room = MAX_NODES - shown.length - paid.length
    const { commands, counts } = truncated
      ? await queries.relatedFirst({ correlationId: id, ...scope }, room)
      : { commands: oldest, counts: [] }
    return {
      correlationId: id,
      items: treeOf({ runs: shown, entries: paid, commands }),
      truncated,
      notShown: leftOver(
        counts,
        commands.filter(command => command.correlationId === id),
      ),
    }
  }

const leftOver = (counts: readonly StatusCount[], shown: readonly CommandView[]): readonly StatusCount[] =>
  counts
    .map(({ status, count }) => ({ status, count: count - shown.filter(one => one.status === status).length }))
    .filter(({ count }) => count > 0)
