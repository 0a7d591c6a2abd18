import type { Pool } from 'pg'
import type { LaneRule, LaneRules } from '../../../application/sending/lane-rules.ts'
import { isOutage } from '../connection/errors.ts'

/** A sender that sends all the time reads the rules this often. */
const FRESH_MS = 500
/** Rules that are older are not used: a sender that was idle waits for the present ones. */
const STALE_MS = 1_000

interface RuleRow extends LaneRule {
  readonly domain: string
}

/** The rules of all domains: two statements a second at the most while this process sends, and none for each command. */
export const createLaneRules = (pool: Pool, now: () => number = () => performance.now()): LaneRules => {
  let known: ReadonlyMap<string, readonly LaneRule[]> = new Map()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  const read = async (): Promise<void> => {
    const began = now()
    const { rows } = await pool.query<RuleRow>(
      'select domain, name, command_type as "commandType", lanes_by as "by" from command_bus_lane_rules()',
    )
    const byDomain = new Map<string, LaneRule[]>()
    for (const { domain, ...rule } of rows) byDomain.set(domain, [...(byDomain.get(domain) ?? []), rule])
    known = byDomain
    readAt = began
  }
  const readOnce = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = null
    })
    return reading
  }

  return domain => {
    const age = now() - readAt
    if (age < FRESH_MS) return known.get(domain) ?? NONE
    const fresh = readOnce()
    if (age < STALE_MS) {
      // a send that needs the database fails by itself
      fresh.catch(() => {})
      return known.get(domain) ?? NONE
    }
    return fresh
      .catch(error => {
        // with the log in EventStoreDB a send does not need this database
        if (!isOutage(error)) throw error
      })
      .then(() => known.get(domain) ?? NONE)
  }
}

const NONE: readonly LaneRule[] = []
