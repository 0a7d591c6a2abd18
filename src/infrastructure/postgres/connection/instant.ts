/**
 * Selects a timestamptz as `2026-01-31T12:00:00.000Z`, as `Date.toISOString` writes it, independent of the session's
 * DateStyle and TimeZone.
 */
export const instant = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The same to the microsecond, for what has to come back exactly. */
export const exactInstant = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** A list for `select`: the columns of `alias` under their own names; those in `instants` are selected as text. */
export const columnsOf = (alias: string, columns: readonly string[], instants: readonly string[]): string =>
  [
    ...columns.map(name => `${alias}.${name}`),
    ...instants.map(name => `${instant(`${alias}.${name}`)} as ${name}`),
  ].join(', ')
