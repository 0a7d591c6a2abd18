import type { CommandSort } from '../../../application/ports/reading/command-queries.ts'
import { UUID_PATTERN } from '../../../domain/uuid.ts'
import { signsOf } from './sorted.ts'

const lastOf = (where: string, by: 'asc' | 'desc'): string =>
  `select c.domain, c.created_at from command_bus_command c where ${where} order by c.domain ${by}, c.created_at ${by}, c.command_id ${by} limit 1`

/**
 * SQL: `domains`, the domains that have such commands and when their newest was sent (or their oldest), for a `with recursive`. It
 * costs one probe of the index for each domain, however many commands there are.
 * @param such `true`, or a condition on `c` that gives the status, which has an index of its own
 */
export const withDomains = (such = 'true', sort?: CommandSort): string => {
  const { by, after } = signsOf(sort)
  return `
  found as (
    (${lastOf(such, by)}) union all
    select next.* from found f cross join lateral (${lastOf(`${such} and c.domain ${after} f.domain`, by)}) next),
  -- from arrays, for which the planner expects 10 rows: with the 100 of \`found\` it may compile a cheap statement (jit)
  domains as (
    select x.domain, x.created_at
    from unnest(array(select domain from found), array(select created_at from found)) x(domain, created_at))`
}

const allDomains = `array(with recursive ${withDomains()} select domain from domains)`

/** SQL: whether the command's id is this one, in whichever domain. `id` is a uuid. */
export const commandIdIs = (alias: string, id: string): string =>
  `${alias}.domain = any (${allDomains}) and ${alias}.command_id = ${id}`

/** SQL: whether the command's id is in this range, in whichever domain, by the index of ids. */
export const idBetween = (from: string, to: string): string =>
  `c.domain = any (${allDomains}) and c.command_id between ${from} and ${to}`

/**
 * SQL: whether the command's correlation id is this text, by two indexes: one contains the correlation ids that are not their
 * commands' own ids; a command whose own id it is is found by its key.
 */
export const correlationIdIs = (alias: string, text: string): string => {
  const id = `case when ${text}::text ~ '^${UUID_PATTERN}$' then ${text}::uuid end`
  return `(${alias}.correlation_id = ${text}::text and ${alias}.correlation_id <> ${alias}.command_id::text
    or ${commandIdIs(alias, id)} and ${alias}.correlation_id = ${text}::text)`
}
