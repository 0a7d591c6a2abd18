import type { Pool } from 'pg'
import { domainIn, ofCommands } from '../log/command-streams.ts'
import { AFTER, type LogPosition, MAY_BE_READ, nextEvents, OLDEST_RUNNING, startOfLog } from '../log/log-reader.ts'

/** How many events of a type one tenant's commands of a domain had in a minute; `''` stands for no tenant. */
interface Entry {
  readonly tenant: string
  readonly domain: string
  readonly type: string
  /** The beginning of the minute, in ms since 1970. */
  readonly minute: number
  readonly count: number
}

export interface Ended {
  readonly COMPLETED: number
  readonly CANCELED: number
}

export interface EventCounts {
  /** Counts the events since the last call. */
  readonly advance: () => Promise<void>
  /** The database's clock at the last `advance`. */
  readonly now: () => number
  /** Commands that are COMPLETED or CANCELED, by domain. */
  readonly ended: (tenant: string | undefined) => ReadonlyMap<string, Ended>
  /** The time from which the minutes are known, in ms since 1970: of a busy log, only a part is read at the start. */
  readonly since: () => number
  /** Events of the last minutes, by the minute they were recorded in and their type. */
  readonly recent: (tenant: string | undefined) => ReadonlyMap<number, ReadonlyMap<string, number>>
}

export const WINDOW_MINUTES = 15
const MINUTE_MS = 60_000
const PAGE = 50_000
/** Of a log in which little happens, no more is read back. */
const FIRST_PAGE = 1_000
/** The most events that are read for the first picture of the window; with more new ones, counting again from the start is cheaper. */
const MOST_EVENTS = 200_000

/** Both states are final: counting the events that lead there counts the commands that are there. */
const ENDS: Readonly<Record<string, keyof Ended>> = {
  CommandCompleted: 'COMPLETED',
  OperatorCompleted: 'COMPLETED',
  CommandCanceled: 'CANCELED',
  CommandExpired: 'CANCELED',
  OperatorCanceled: 'CANCELED',
}

interface Picture {
  /** Counts of the events that the feed has given: they will not change. */
  readonly ended: Map<string, number>
  readonly recent: Map<string, Entry>
  /** The position up to which the feed was read. */
  place: LogPosition
  /** Entries after `place` that are committed, but before which an event may still appear. */
  held: readonly Entry[]
  readonly since: number
  now: number
}

const OF_COMMANDS = ofCommands('e.stream')
const DOMAIN = domainIn('e.stream')
const TENANT = `coalesce(e.meta#>>'{context,tenantId}', '')`
/** SQL: the groups of a page of events, and one row for the page: its number of events, and one event's place and time. */
const grouped = (page: string, from: string, edge: 'asc' | 'desc'): string =>
  `with page as materialized (${page})
   select ${TENANT} as tenant, ${DOMAIN} as domain, e.type,
     (extract(epoch from date_trunc('minute', e.recorded)) * 1000)::float8 as minute, count(*)::int as count,
     '' as xid, '' as position
   from page e where ${OF_COMMANDS} and ${from} group by 1, 2, 3, 4
   union all (select '', '', '', (extract(epoch from e.recorded) * 1000)::float8, count(*) over ()::int, e.xid::text, e.position::text from page e
     where ${from} order by e.xid ${edge}, e.position ${edge} limit 1)`

/**
 * Counts that stay cheap with a long history. Most commands have ended: these are counted once a process, and after that
 * only the log's new events are read.
 */
export const createEventCounts = (pool: Pool): EventCounts => {
  let picture: Picture | null = null

  const page = async (text: string, place: LogPosition) => {
    const { rows } = await pool.query(text, [place.xid, place.position])
    const edge = rows.find(row => row.xid !== '')
    return {
      entries: rows.filter(row => row.xid === '') as Entry[],
      count: edge === undefined ? 0 : (edge.count as number),
      edge: edge === undefined ? place : { xid: edge.xid, position: edge.position },
      edgeAt: edge === undefined ? 0 : (edge.minute as number),
    }
  }

  /**
   * Counts the rows in one snapshot, without the commands whose end the feed does not give yet: these are counted when it
   * does.
   */
  const begin = async (): Promise<Picture> => {
    const { rows } = await pool.query(
      `select coalesce(tenant_id, '') as tenant, domain, status as kind, count(*)::int as count
       from command_bus_command where status in ('COMPLETED', 'CANCELED') group by 1, 2, 3
       union all select ${TENANT}, ${DOMAIN}, e.type, -count(*)::int from command_bus_event e
       where not (${MAY_BE_READ}) and ${OF_COMMANDS} and e.type = any ($1::text[]) group by 1, 2, 3
       union all select '', '', ${OLDEST_RUNNING}::text, 0`,
      [Object.keys(ENDS)],
    )
    const ended = new Map<string, number>()
    let place = startOfLog
    for (const { tenant, domain, kind, count } of rows) {
      if (domain === '') place = { xid: kind, position: '0' }
      else addEnded(ended, tenant, domain, ENDS[kind] ?? kind, count)
    }
    const recent = new Map<string, Entry>()
    return { ended, recent, place, held: [], since: await readBack(recent, place), now: 0 }
  }

  /** Reads the window before `place`, newest first, within the limit; gives the time from which it is complete. */
  const readBack = async (recent: Map<string, Entry>, place: LogPosition): Promise<number> => {
    const textOf = (most: number): string =>
      grouped(
        `select e.* from command_bus_event e where (e.xid, e.position) < ($1::xid8, $2::bigint)
         order by e.xid desc, e.position desc limit ${most}`,
        `e.recorded >= now() - interval '${WINDOW_MINUTES} minutes'`,
        'asc',
      )
    let from = place
    let since = 0
    for (let read = 0, most = FIRST_PAGE; read < MOST_EVENTS; read += most, most = Math.min(PAGE, most * 4)) {
      const { entries, count, edge, edgeAt } = await page(textOf(most), from)
      for (const entry of entries) addRecent(recent, entry)
      // a transaction may have been open for long: some older ones among them do not end it
      if (count < most / 2) return 0
      from = edge
      since = edgeAt
    }
    return since
  }

  /** False when there are so many new events that counting again from the start is cheaper. */
  const readOn = async (into: Picture): Promise<boolean> => {
    const next = grouped(nextEvents('e.*', PAGE), 'true', 'desc')
    for (let read = 0; read < MOST_EVENTS; read += PAGE) {
      const { entries, count, edge } = await page(next, into.place)
      for (const entry of entries) {
        const status = ENDS[entry.type]
        if (status !== undefined) addEnded(into.ended, entry.tenant, entry.domain, status, entry.count)
        addRecent(into.recent, entry)
      }
      into.place = edge
      if (count < PAGE) return true
    }
    return false
  }

  const advance = async (): Promise<void> => {
    // after a failure half-way, everything is counted again
    const known = picture
    picture = null
    let next = known ?? (await begin())
    if (!(await readOn(next))) next = await begin()
    const rest = `select e.* from command_bus_event e where ${AFTER} limit ${MOST_EVENTS}`
    next.held = (await page(grouped(rest, 'true', 'desc'), next.place)).entries
    const { rows } = await pool.query('select (extract(epoch from now()) * 1000)::float8 as now')
    next.now = rows[0].now
    for (const [key, { minute }] of next.recent) {
      if (minute < next.now - (WINDOW_MINUTES + 1) * MINUTE_MS) next.recent.delete(key)
    }
    picture = next
    shown = next
  }

  let shown: Picture = { ended: new Map(), recent: new Map(), place: startOfLog, held: [], since: 0, now: 0 }
  return {
    advance,
    now: () => shown.now,
    since: () => shown.since,
    ended: tenant => {
      const domains = new Map<string, Record<keyof Ended, number>>()
      const add = (its: string, domain: string, status: keyof Ended, count: number): void => {
        if (tenant !== undefined && tenant !== its) return
        const counts = domains.get(domain) ?? { COMPLETED: 0, CANCELED: 0 }
        counts[status] += count
        domains.set(domain, counts)
      }
      for (const [key, count] of shown.ended) {
        const [its, domain, status] = JSON.parse(key)
        add(its, domain, status, count)
      }
      for (const { tenant: its, domain, type, count } of shown.held) {
        const status = ENDS[type]
        if (status !== undefined) add(its, domain, status, count)
      }
      return domains
    },
    recent: tenant => {
      const minutes = new Map<number, Map<string, number>>()
      for (const entry of [...shown.recent.values(), ...shown.held]) {
        if (tenant !== undefined && tenant !== entry.tenant) continue
        const types = minutes.get(entry.minute) ?? new Map<string, number>()
        types.set(entry.type, (types.get(entry.type) ?? 0) + entry.count)
        minutes.set(entry.minute, types)
      }
      return minutes
    },
  }
}

const addEnded = (to: Map<string, number>, tenant: string, domain: string, status: string, count: number): void => {
  const key = JSON.stringify([tenant, domain, status])
  to.set(key, (to.get(key) ?? 0) + count)
}

const addRecent = (to: Map<string, Entry>, { tenant, domain, type, minute, count }: Entry): void => {
  const key = JSON.stringify([tenant, domain, type, minute])
  to.set(key, { tenant, domain, type, minute, count: (to.get(key)?.count ?? 0) + count })
}
