import { UUID_PATTERN } from '../../../domain/uuid.ts'

const lastOf = (where: string): string =>
  `select c.domain, c.created_at from command_bus_command c where ${where} order by c.domain desc, c.created_at desc, c.command_id desc limit 1`

/**
 * SQL: `domains`, the domains that have such commands and when their newest was sent, for a `with recursive`. It costs one probe of
 * the index for each domain, however many commands there are.
 * @param such `true`, or a condition on `c` that gives the status, which has an index of its own
 */
export const withDomains = (such = 'true'): string => `
  found as (
    (${lastOf(such)}) union all
    select next.* from found f cross join lateral (${lastOf(`${such} and c.domain < f.domain`)}) next),
  -- from arrays, for which the planner expects 10 rows: with the 100 of \`found\` it may compile a cheap statement (jit)
  domains as (
    select x.domain, x.created_at
    from unnest(array(select domain from found), array(select created_at from found)) x(domain, created_at))`

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
