import type { CommandFilter, CommandSort } from '../../../application/ports/reading/command-queries.ts'
import { ANY_PATH } from '../../../domain/json/payload-path.ts'
import { decodeCursor } from './cursor.ts'
import { withDomains } from './domains.ts'
import { signsOf, sortedBy } from './sorted.ts'

/** Each window of time reaches this many times as far as all before it. */
const GROWTH = 8
/** After so many windows, what is searched is rare: reading the whole table costs less than going on by the index. */
const WINDOWS = 4
/** A year and more: what is frequent is found there, behind all the newer commands that wait. */
const MORE_WINDOWS = 8

export interface SortedCommands {
  /** Default: newest first. */
  readonly sort?: CommandSort | undefined
  /** The condition on `c` for an open status, whose index has the commands of each domain in order of time; else `true`. */
  readonly status: string
  /** The condition on the time of `c`. */
  readonly time: string
  /** All conditions on `c`, these included. */
  readonly where: string
  /** Most commands fulfil them, though perhaps not the newest. */
  readonly isFrequent: boolean
  readonly limit: number
}

/**
 * SQL: `columns` of the newest commands of all domains, or of the oldest, by an index that begins with the domain. There is always a
 * row, without a command if none was found. `isComplete` is false if those that follow were not searched.
 *
 * The first window of time contains about as many commands as a page. If they are too few, because of other conditions, longer
 * windows follow: so no command is read twice, and none that is far after the page's last.
 */
export const sortedOfAllDomains = (
  columns: string,
  { sort, status, time, where, isFrequent, limit }: SortedCommands,
): string => {
  const { by, after, upTo, first, last, start, end, on } = signsOf(sort)
  const order = `order by c.created_at ${by}, c.command_id ${by}`
  const headsAt = (such: string): string => `
    select d.domain, h.created_at from domains d
    cross join lateral (select c.created_at from command_bus_command c where c.domain = d.domain and ${such} ${order} limit 1) h`
  const reached = on === '-' ? 'p.start - w.until' : 'w.until - p.start'
  return `
  with recursive ${withDomains(status, sort)},
  heads as materialized (
    ${time === 'true' ? 'select domain, created_at from domains' : headsAt(`${status} and ${time}`)}),
  page as materialized (
    select (select ${first}(created_at) from heads) as start, (
      select c.created_at from (
        select domain, case when count(*) over () = ${limit} then ${last}(created_at) over () else '${end}' end as until
        from (select * from heads order by created_at ${by} limit ${limit}) h) h
      cross join lateral (
        select c.created_at from command_bus_command c
        where c.domain = h.domain and c.created_at ${upTo} h.until and ${status} and ${time} ${order} limit ${limit}) c
      order by c.created_at ${by} offset ${limit - 1} limit 1) as finish),
  windows(number, since, until) as (
    select 1, '${start}'::timestamptz, coalesce(finish, '${end}') from page
    union all
    select w.number + 1, w.until,
           w.until ${on} least(${GROWTH} * greatest(${reached}, interval '1 s'), interval '100 years')
    from windows w cross join page p where w.number < ${isFrequent ? MORE_WINDOWS : WINDOWS} and w.until ${on === '-' ? '>' : '<'} '${end}')
  select p.finish is null as "isComplete", ${columns} from page p
  left join lateral (
    select c.* from windows w
    cross join lateral (
      select c.* from heads h
      cross join lateral (
        select * from command_bus_command c
        where c.domain = h.domain and c.created_at ${upTo} w.until and c.created_at ${after} w.since and ${where} ${order} limit ${limit}) c
      where h.created_at ${upTo} w.until
      ${order}, c.domain ${by} limit ${limit}) c
    limit ${limit}) c on true
  ${order}, c.domain ${by}`
}

/**
 * SQL: the same for few of the commands, as those of one type: of each domain the first page. What is passed over is passed over in the
 * index, or is open, so that all of it costs less than the windows of time and the whole table after them.
 */
export const sortedOfEachDomain = (
  columns: string,
  { sort, status, where, limit }: Pick<SortedCommands, 'sort' | 'status' | 'where' | 'limit'>,
): string => {
  const { by } = signsOf(sort)
  const order = `order by c.created_at ${by}, c.command_id ${by}`
  return `
  with recursive ${withDomains(status, sort)}
  select ${columns} from domains d
  cross join lateral (select c.* from command_bus_command c where c.domain = d.domain and ${where} ${order} limit ${limit}) c
  ${order}, c.domain ${by} limit ${limit}`
}

interface WithPayload extends Pick<CommandFilter, 'payload' | 'cursor' | 'sort'> {
  /** All conditions on `c`. */
  readonly where: string
  readonly limit: number
}

/**
 * SQL: `columns` of the newest commands with this value in their payload, or of the oldest, by the index of values: those of each path in their
 * order, so that a page costs no more when many commands have the value. Adds its parameters to `values`.
 */
export const sortedWithPayload = (
  columns: string,
  { payload, cursor, sort, where, limit }: WithPayload,
  values: unknown[],
): string => {
  const parameter = (value: unknown, type: string): string => `$${values.push(value)}::${type}`
  const value = parameter(payload?.value, 'text')
  const path = payload?.path === ANY_PATH ? '' : `where s.path = ${parameter(payload?.path, 'text')}`
  const { at, commandId, domain } =
    cursor === undefined
      ? ({} as Partial<ReturnType<typeof decodeCursor>>)
      : decodeCursor(cursor, sortedBy('', sort).sort)
  const { by, after: following } = signsOf(sort)
  const after =
    cursor === undefined
      ? ''
      : `and (v.created_at, v.command_id, v.domain) ${following} (${parameter(at, 'timestamptz')}, ${parameter(commandId, 'uuid')}, ${parameter(domain, 'text')})`
  const order = (alias: string): string => `${alias}.created_at ${by}, ${alias}.command_id ${by}, ${alias}.domain ${by}`
  return `
  select distinct on (c.created_at, c.command_id, c.domain) ${columns}
  from (select distinct s.path from command_bus_searchable s ${path}) p
  cross join lateral (
    select c.* from command_bus_search_value v
    join command_bus_command c on c.domain = v.domain and c.command_id = v.command_id
    where v.value = ${value} and v.path = p.path ${after} and ${where}
    order by ${order('v')} limit ${limit}) c
  order by ${order('c')} limit ${limit}`
}
