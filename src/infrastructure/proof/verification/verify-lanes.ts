import type { Pool, PoolClient } from 'pg'
import type { CommandEventType } from '../../../domain/command/events.ts'
import { parseCommandStream } from '../../../domain/command/names.ts'
import { createLaneOrder, type LaneFact, type LaneFault } from '../../../domain/flow/lane/lane-order.ts'
import { atOneInstant } from '../../postgres/connection/with-client.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { createFindings, type Finding } from '../chain/finding.ts'

export interface VerifiedLanes {
  readonly findings: readonly Finding[]
  /** Events of commands in lanes, and of settings. */
  readonly events: number
  /** How many commands have begun. */
  readonly begun: number
}

interface LaneRow {
  readonly stream: string
  readonly revision: string
  readonly type: string
  readonly lane: string | null
  readonly limit: string | null
  readonly later: boolean
  readonly receipt: boolean
  readonly settings: StoredSettings | null
  readonly transaction: string
  readonly msg_id: string | null
  readonly priority: string | null
  readonly at: number
}

interface StoredSettings {
  readonly domain: string
  readonly lane?: string
  readonly name?: string
  readonly width?: number
  readonly onPark?: string
  readonly by?: string
}

/**
 * Whatever changes who is in a lane is recorded while its transaction holds the lane, so that `position` alone is the order of
 * its events: the order of the feed differs where a transaction had begun to write before. Only those of one transaction
 * stand in the order of their streams.
 */
const laneEvents = `
  select e.stream, e.revision, e.type, e.xid::text as transaction, e.msg_id, e.meta#>>'{context,lane}' as lane, e.meta#>>'{context,priority}' as priority,
     e.data->>'limit' as limit, e.data ? 'runAt' as later,
    e.data ? 'receipt' as receipt, case when e.stream < 'm' and e.stream >= 'l' then e.data end as settings,
    (extract(epoch from e.recorded) * 1000)::float8 as at
  from command_bus_event e
  where e.meta->'context' ? 'lane' or (e.stream >= 'lane-' and e.stream < 'lane.') or (e.stream >= 'limit-' and e.stream < 'limit.')
  order by e.position`

const PAGE = 5_000

/**
 * Checks from the log alone that no lane ever ran more of its commands at once than its width, and that none began before one
 * that was sent earlier. Reads the log once; memory grows with open commands only.
 */
export const verifyLanes = (pool: Pool, { limit = 1_000 } = {}): Promise<VerifiedLanes> =>
  withUnhurriedClient(pool, client => atOneInstant(client, () => checkLanes(client, limit)))

const checkLanes = async (client: PoolClient, limit: number): Promise<VerifiedLanes> => {
  const findings = createFindings(limit)
  const order = createLaneOrder(fault => findings.add(findingOf(fault)))
  let events = 0
  await client.query(`declare lane_events no scroll cursor for ${laneEvents}`)
  for (;;) {
    const { rows } = await client.query<LaneRow>(`fetch ${PAGE} from lane_events`)
    if (rows.length === 0) break
    events += rows.length
    for (const row of rows) for (const fact of factsOf(row)) order.add(fact)
  }
  return { findings: findings.kept, events, begun: order.counts().begun }
}

const factsOf = (row: LaneRow): readonly LaneFact[] => {
  const { stream, type, lane, limit, later, receipt, settings, at, transaction } = row
  if (settings !== null) {
    const { domain, width, onPark, by } = settings
    const isLimit = stream.startsWith('limit-')
    const name = isLimit ? settings.name : settings.lane
    if (name === undefined) return []
    const found = width === undefined ? null : { width, passes: onPark === 'pass' }
    return [{ kind: isLimit ? 'limit' : 'lane', domain, name, settings: found, byKey: by === 'key', at }]
  }
  const key = parseCommandStream(stream)
  if (key === null || lane === null) return []
  const revision = Number(row.revision)
  const message = { transaction, msgId: Number(row.msg_id), queue: row.priority ?? 'normal' }
  const about = { domain: key.domain, lane, limit, later, receipt, at, ...message }
  return [{ kind: 'command', stream, revision, type: type as CommandEventType, ...about }]
}

const findingOf = ({ kind, stream, revision, lane, width, others }: LaneFault): Finding => {
  const named = others.map(one => parseCommandStream(one)?.commandId ?? one)
  const listed = `${named.slice(0, 3).join(', ')}${named.length > 3 ? ' and others' : ''}`
  return {
    kind: 'lane',
    stream,
    revision,
    column: 'lane',
    expected: kind === 'overlap' ? `${width} at once` : `after ${listed}`,
    found: kind === 'overlap' ? `beside ${listed}` : `before ${listed}`,
    message:
      kind === 'overlap'
        ? `event ${revision} begins the command while lane '${lane}', of width ${width}, was full: ${listed} had not ended`
        : `event ${revision} begins the command before ${listed}, which was sent earlier in lane '${lane}'`,
  }
}
