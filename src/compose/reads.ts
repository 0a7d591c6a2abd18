import type { Pool } from 'pg'
import { commandsOf } from '../application/commands/commands-of.ts'
import { createCommandReader } from '../application/commands/read-commands.ts'
import { readCorrelation, readParkedAt } from '../application/investigation/investigate.ts'
import { readHistory } from '../application/investigation/read-history.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Ids } from '../application/ports/ids.ts'
import { planTurns } from '../application/troubleshooting/dry-run.ts'
import { dryRunAction } from '../application/troubleshooting/dry-run-action.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import { createCommandQueries } from '../infrastructure/postgres/reading/command-queries.ts'
import { createInvestigationQueries } from '../infrastructure/postgres/reading/investigation.ts'
import { type OutboxOptions, outbox } from '../projections/outbox.ts'

export interface ReadsDeps {
  readonly pool: Pool
  readonly store: EventStore<BusEvent>
  readonly clock: Clock
  readonly ids: Ids
  readonly onSuccess: OutboxOptions['onSuccess']
}

/** What only looks at commands: at rows on connections of `pool`, at events in `store`. */
export const createReads = ({ pool, store: wholeStore, clock, ids, onSuccess }: ReadsDeps) => {
  const store = commandsOf(wholeStore)
  const queries = createCommandQueries(pool)
  const investigations = createInvestigationQueries(pool)
  const plan = planTurns(store, ids, outbox({ onSuccess }))
  return {
    queries,
    plan,
    reader: createCommandReader(queries),
    history: readHistory(store),
    parkedAt: readParkedAt({ queries: investigations, store, clock }),
    correlation: readCorrelation(investigations),
    dryRun: dryRunAction({ plan, queries, clock }),
  }
}
