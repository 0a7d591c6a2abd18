import type { BusEvent } from '../../domain/bus-event.ts'
import type { CreditsEvent } from '../../domain/credits/events.ts'
import { credits } from '../../domain/credits/index.ts'
import { creditsStream } from '../../domain/credits/names.ts'
import type { CreditsState } from '../../domain/credits/state.ts'
import { type Decider, fold } from '../../domain/decider.ts'
import type { EventContext, Recorded } from '../../domain/recorded.ts'
import type { RunEvent } from '../../domain/workflow-run/events.ts'
import { workflowRun } from '../../domain/workflow-run/index.ts'
import { runStream } from '../../domain/workflow-run/names.ts'
import type { RunState } from '../../domain/workflow-run/state.ts'
import type { TemplateEvent } from '../../domain/workflow-template/events.ts'
import { workflowTemplate } from '../../domain/workflow-template/index.ts'
import { templateStream } from '../../domain/workflow-template/names.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, StreamAppend } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { BoundedMap } from '../shared/bounded-map.ts'
import { appendOf, createTogether, type Loaded } from '../shared/transact.ts'

/** States in the cache; each may have some thousand files. */
const KEPT = 64

/**
 * Runs, ledgers and templates in the log. A turn may concern several of them, and states are cached between turns, so that
 * a long ledger is not read again for every charge.
 */
export const createWorkflowStore = (store: EventStore<BusEvent>, ids: Ids, clock: Clock) => {
  const kept = new BoundedMap<string, Loaded<unknown>>(KEPT)

  const keep = <State>(stream: string, loaded: Loaded<State>): Loaded<State> => {
    kept.set(stream, loaded)
    return loaded
  }

  /** The present state: the cached one with the events since then. */
  const load = async <State, Event extends BusEvent>(
    decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>,
    stream: string,
  ): Promise<Loaded<State>> => {
    const known = (kept.get(stream) as Loaded<State> | undefined) ?? { state: decider.initial, revision: -1 }
    const more = await store.readStream(stream, known.revision + 1)
    const events = more.map(({ event }) => event as Event)
    return keep(stream, { state: fold(decider, events, known.state), revision: known.revision + events.length })
  }

  /** No append if there are no events. */
  const appendsOf = (
    stream: string,
    at: Pick<Loaded<unknown>, 'revision'>,
    events: readonly BusEvent[],
    context: EventContext,
  ): readonly StreamAppend<BusEvent>[] => (events.length === 0 ? [] : [appendOf(stream, at, events, context, ids)])

  const contextOf = (commandType: string, id: string, tenantId: string | null): EventContext => ({
    commandType,
    correlationId: id,
    causationId: null,
    replyTo: null,
    tenantId,
  })

  return {
    /** Charge and run can be appended together. */
    atomic: store.capabilities.atomicAppend,
    /** Rows are committed with the events. */
    inline: store.capabilities.inlineProjections,
    load,
    loadRun: (runId: string): Promise<Loaded<RunState>> => load(workflowRun, runStream(runId)),
    loadCredits: (tenantId: string): Promise<Loaded<CreditsState>> => load(credits, creditsStream(tenantId)),
    ofRun: (runId: string, tenantId: string | null, at: Loaded<RunState>, events: readonly RunEvent[]) =>
      appendsOf(runStream(runId), at, events, contextOf('WorkflowRun', runId, tenantId)),
    ofCredits: (tenantId: string, at: Loaded<CreditsState>, events: readonly CreditsEvent[]) =>
      appendsOf(creditsStream(tenantId), at, events, contextOf('Credits', tenantId.slice(0, 128), tenantId)),
    ofTemplate: (id: string, tenantId: string | null, at: Loaded<unknown>, events: readonly TemplateEvent[]) =>
      appendsOf(templateStream(id), at, events, contextOf('WorkflowTemplate', id, tenantId)),
    loadTemplate: (id: string) => load(workflowTemplate, templateStream(id)),
    historyOfRun: async (runId: string) => (await store.readStream(runStream(runId))) as readonly Recorded<RunEvent>[],
    historyOfTemplate: async (id: string) =>
      (await store.readStream(templateStream(id))).map(({ event }) => event as TemplateEvent),

    together: createTogether(store, clock),
  }
}

export type WorkflowStore = ReturnType<typeof createWorkflowStore>
