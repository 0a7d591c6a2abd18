import { NO_TENANT } from '../../../application/shared/scope.ts'
import { decodeCursor } from './cursor.ts'

/** Whether a column's tenant is in the scope that a parameter names; null names all, and `''` what has no tenant. */
export const tenantIs = (parameter: string, column: string): string =>
  `(${parameter}::text is null or coalesce(${column}, '') = ${parameter}::text)`

/** Conditions on a `c` of commands joined with `and`, each with its own numbered parameters. */
export const conditions = () => {
  const values: unknown[] = []
  const parts: string[] = []
  /** `sql` names its parameter `?`, with the cast it needs; nothing is added for an undefined value. */
  const add = (sql: string, ...given: readonly unknown[]): void => {
    if (given.some(value => value === undefined)) return
    let i = values.length
    values.push(...given)
    parts.push(sql.replace(/\?/g, () => `$${++i}`))
  }
  return {
    values,
    add,
    /** Nothing is added for an undefined tenant, which stands for all. */
    tenant: (tenantId: string | undefined): void =>
      tenantId === NO_TENANT ? add('c.tenant_id is null') : add('c.tenant_id = ?', tenantId),
    /** What comes after the page that ended here, newest first by this time; nothing is added for the first page. */
    after: (time: string, cursor: string | undefined): void => {
      if (cursor === undefined) return
      const { at, commandId, domain } = decodeCursor(cursor)
      add(`(${time}, c.command_id, c.domain) < (?::timestamptz, ?::uuid, ?)`, at, commandId, domain)
    },
    where: () => (parts.length === 0 ? 'true' : parts.join(' and ')),
  }
}
