import type { Pool } from 'pg'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import { isCommandStream } from '../../../domain/command/names.ts'
import { atOneInstant } from '../connection/with-client.ts'
import { pageWithinBytes } from '../log/log-reader.ts'
import { withUnhurriedClient } from '../transactions/unhurried.ts'
import type { LoggedRow } from './command-log.ts'
import { commandsWithoutEvents } from './compare-commands.ts'
import { workflowsWithoutEvents } from './compare-workflows.ts'
import type { Drift } from './drift.ts'
import { holdReadTables } from './read-tables.ts'
import { searchWithoutCommands } from './search-values.ts'
import { walkStreams } from './walk-streams.ts'

export interface VerifyOptions {
  readonly pool: Pool
  /** Ends after about this many findings. Default 1,000. */
  readonly limit?: number
  readonly onProgress?: (progress: { readonly commands: number }) => void
}

/**
 * Folds every command, run, ledger, template and setting of the log and compares every column of its rows, as of one instant. An
 * empty list means that the rows agree with the log. Memory does not grow with the log. Changes nothing.
 */
export const verifyCommands = ({
  pool,
  limit = 1_000,
  onProgress = () => {},
}: VerifyOptions): Promise<readonly Drift[]> =>
  withUnhurriedClient(pool, client =>
    atOneInstant(client, async () => {
      await holdReadTables(client)
      const drift: Drift[] = []
      await walkStreams<LoggedRow>(client, {
        nextPage: async after => {
          const { rows } = await client.query(streamPage, [after?.stream ?? '', after?.revision ?? '-1'])
          return rows
        },
        onEvent: refuseGap,
        onUnreadable: (_, error) => {
          throw error
        },
        onDrift: found => drift.push(found),
        onProgress,
        isEnough: () => drift.length >= limit,
      })
      if (drift.length < limit) drift.push(...(await commandsWithoutEvents(client, limit - drift.length)))
      if (drift.length < limit) drift.push(...(await workflowsWithoutEvents(client, limit - drift.length)))
      if (drift.length < limit) drift.push(...(await searchWithoutCommands(client, limit - drift.length)))
      return drift.slice(0, limit)
    }),
  )

const streamPage = pageWithinBytes({
  columns: 'x.stream, x.revision, x.id, x.type, x.data, x.meta, x.msg_id',
  where: '(e.stream, e.revision) > ($1::text collate "C", $2::bigint)',
  order: 'stream, revision',
})

const refuseGap = ({ stream, revision }: LoggedRow, before: number): void => {
  if (isCommandStream(stream) && Number(revision) !== before + 1) {
    throw new EventDecodeError(stream, before + 1, ['the event is missing'])
  }
}
