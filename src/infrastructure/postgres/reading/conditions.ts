import { NO_TENANT } from '../../../application/shared/scope.ts'
import { decodeCursor } from './cursor.ts'

/** SQL: whether a column's tenant is the parameter's. Null stands for all tenants, `''` for rows without a tenant. */
export const tenantIs = (parameter: string, column: string): string =>
  `(${parameter}::text is null or coalesce(${column}, '') = ${parameter}::text)`

/** Builds conditions on the command row `c`, joined with `and`, each with its own numbered parameters. */
export const conditions = () => {
  const values: unknown[] = []
  const parts: string[] = []
  /** `sql` contains `?` for its parameter, with the cast it needs; adds nothing for an undefined value. */
  const add = (sql: string, ...given: readonly unknown[]): void => {
    if (given.some(value => value === undefined)) return
    let i = values.length
    values.push(...given)
    parts.push(sql.replace(/\?/g, () => `$${++i}`))
  }
  return {
    values,
    add,
    /** Adds nothing for an undefined tenant, which stands for all. */
    tenant: (tenantId: string | undefined): void =>
      tenantId === NO_TENANT ? add('c.tenant_id is null') : add('c.tenant_id = ?', tenantId),
    /** Rows after the page that ended at this cursor, newest first by this time; adds nothing for the first page. */
    after: (time: string, cursor: string | undefined): void => {
      if (cursor === undefined) return
      const { at, commandId, domain } = decodeCursor(cursor)
      add(`(${time}, c.command_id, c.domain) < (?::timestamptz, ?::uuid, ?)`, at, commandId, domain)
    },
    where: () => (parts.length === 0 ? 'true' : parts.join(' and ')),
  }
}
