import { UUID_PATTERN } from '../../../domain/uuid.ts'

/**
 * SQL: `domains`, the names of the domains that have such commands, for a `with recursive`. One index probe for each, however
 * many commands there are.
 * @param such a condition on `c` for which there is an index that goes on with the domain
 */
export const withDomains = (such = 'true'): string => `
  named as (
    (select c.domain from command_bus_command c where ${such} order by c.domain limit 1)
    union all
    select (select c.domain from command_bus_command c where ${such} and c.domain > n.domain order by c.domain limit 1)
    from named n where n.domain is not null),
  domains as (select domain from named where domain is not null)`

const allDomains = `array(with recursive ${withDomains()} select domain from domains)`

/** SQL: whether the command's id is this one, in whichever domain. `id` is a uuid. */
export const commandIdIs = (alias: string, id: string): string =>
  `${alias}.domain = any (${allDomains}) and ${alias}.command_id = ${id}`

/**
 * SQL: whether the command's correlation id is this text, by two indexes: one contains the correlation ids that are not their
 * commands' own ids; a command whose own id it is is found by its key.
 */
export const correlationIdIs = (alias: string, text: string): string => {
  const id = `case when ${text}::text ~ '^${UUID_PATTERN}$' then ${text}::uuid end`
  return `(${alias}.correlation_id = ${text}::text and ${alias}.correlation_id <> ${alias}.command_id::text
    or ${commandIdIs(alias, id)} and ${alias}.correlation_id = ${text}::text)`
}
