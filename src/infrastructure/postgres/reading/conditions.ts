import { NO_TENANT } from '../../../application/shared/scope.ts'
import { decodeCursor } from './cursor.ts'
import { correlationIdIs } from './domains.ts'
import { type Sorted, signsOf } from './sorted.ts'

/** SQL: whether a column's tenant is the parameter's. Null stands for all tenants, `''` for rows without a tenant. */
export const tenantIs = (parameter: string, column: string): string =>
  `(${parameter}::text is null or coalesce(${column}, '') = ${parameter}::text)`

/** The pattern for `ilike` of texts that contain this one. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`

/** Builds conditions on the command row `c`, joined with `and`, each with its own numbered parameters. */
export const conditions = () => {
  const values: unknown[] = []
  const parts: string[] = []
  /**
   * `sql` contains `?` for its parameter, with the cast it needs; adds nothing for an undefined value.
   * @returns the condition as it was added
   */
  const add = (sql: string, ...given: readonly unknown[]): string => {
    if (given.some(value => value === undefined)) return 'true'
    let i = values.length
    const part = sql.replace(/\?/g, () => `$${++i}`)
    values.push(...given)
    parts.push(part)
    return part
  }
  return {
    values,
    add,
    /** Adds nothing for an undefined tenant, which stands for all. */
    tenant: (tenantId: string | undefined): void => {
      if (tenantId === NO_TENANT) add('c.tenant_id is null')
      else add('c.tenant_id = ?', tenantId)
    },
    correlation: (correlationId: string | undefined): void => {
      if (correlationId !== undefined) parts.push(correlationIdIs('c', `$${values.push(correlationId)}`))
    },
    /** Rows after the page that ended at this cursor; adds nothing for the first page. */
    after: ({ key, type, sort }: Sorted, cursor: string | undefined): void => {
      if (cursor === undefined) return
      const { at, commandId, domain } = decodeCursor(cursor, sort)
      add(`(${key}, c.command_id, c.domain) ${signsOf(sort).after} (?::${type}, ?::uuid, ?)`, at, commandId, domain)
    },
    where: () => (parts.length === 0 ? 'true' : parts.join(' and ')),
  }
}
