import type { ClientBase } from 'pg'
import type { BusEvent } from '../../domain/bus-event.ts'
import { type Columns, createWrites, type ReadTable, type RowWrite } from '../../projections/row-write.ts'
import { workflowRows } from '../../projections/workflow-rows.ts'
import { busCodec } from '../codec/workflow-codec.ts'
import { decodeRow, type EventRow } from './event-store.ts'

/** What a stream makes of its rows. */
export interface FoldedStream {
  readonly stream: string
  readonly writes: readonly RowWrite[]
  readonly events: number
}

const PAGE = 1_000

/** Streams that are no commands', each folded as a whole: one holds what one run or one tenant's ledger came to. */
export async function* foldedWorkflows(client: ClientBase): AsyncGenerator<FoldedStream> {
  let after = ''
  for (;;) {
    const { rows } = await client.query<{ stream: string }>(
      `select e.stream from command_bus_event e
       where e.revision = 0 and e.stream > $1::text collate "C" and (e.stream < 'command-' or e.stream >= 'command.')
       order by e.stream limit ${PAGE}`,
      [after],
    )
    for (const { stream } of rows) {
      yield await foldStream(client, stream)
      after = stream
    }
    if (rows.length < PAGE) return
  }
}

const foldStream = async (client: ClientBase, stream: string): Promise<FoldedStream> => {
  const writes = createWrites()
  let revision = -1
  for (;;) {
    const { rows } = await client.query<EventRow>(
      `select stream, revision, id, type, data, meta from command_bus_event
       where stream = $1::text collate "C" and revision > $2::bigint order by revision limit ${PAGE}`,
      [stream, revision],
    )
    for (const row of rows) {
      const recorded = decodeRow<BusEvent>(busCodec, row)
      for (const write of workflowRows(recorded)) writes.add(write)
      revision = recorded.revision
    }
    if (rows.length < PAGE) return { stream, writes: writes.all(), events: revision + 1 }
  }
}

/** The rows of one table among writes. */
export const rowsOf = (writes: readonly RowWrite[], table: ReadTable): readonly Columns[] =>
  writes.filter(write => write.table === table && write.kind === 'put').map(({ row }) => row)
