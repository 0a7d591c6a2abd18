import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ColumnKind, commandColumns } from '../../../src/domain/command/columns.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

const columns = Object.values(commandColumns)

const typeOf: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  frame: 'text',
  status: 'text',
  priority: 'text',
  message: 'text',
  uuid: 'uuid',
  int: 'integer',
  bigint: 'bigint',
  revision: 'bigint',
  instant: 'timestamp with time zone',
  person: 'text',
  tags: 'text[]',
}

const byColumn = <Row extends { readonly column: string }>(rows: readonly Row[]) =>
  [...rows].sort((a, b) => (a.column < b.column ? -1 : 1))

describe('the definition of the columns of a command', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  test('agrees with the table: columns, types, and which may be null', async () => {
    const { rows } = await database.pool.query(
      `select attname::text as column, format_type(atttypid, null) as type, not attnotnull as nullable
       from pg_attribute where attrelid = 'command_bus_command'::regclass and attnum > 0 and not attisdropped`,
    )
    const defined = columns.map(({ column, kind, nullable }) => ({ column, type: typeOf[kind], nullable }))
    expect(byColumn(defined)).toEqual(byColumn(rows))
  })

  test('agrees with the commit function: which columns an update sets, and which it keeps', async () => {
    const { rows } = await database.pool.query(
      `select substring(prosrc from 'update command_bus_command c set(.*?)from jsonb_to_recordset') as assignments
       from pg_proc where proname = 'command_bus_commit'`,
    )
    const assigned = (rows[0].assignments as string).split(/,\n/).map(line => line.trim())
    const setBy = (how: string, pattern: RegExp) => {
      const changing = columns.filter(({ changes }) => changes === how).map(({ column }) => column)
      expect(assigned.flatMap(line => pattern.exec(line)?.[1] ?? []).sort()).toEqual(changing.sort())
    }
    setBy('always', /^(\w+) = x\.\1$/)
    setBy('sometimes', /^(\w+) = coalesce\(.+, c\.\1\)$/)
  })

  test('agrees with the commit function: an insert sets every column', async () => {
    const { rows } = await database.pool.query(
      `select substring(prosrc from 'insert into command_bus_command \\((.*?)\\)') as inserted
       from pg_proc where proname = 'command_bus_commit'`,
    )
    const inserted = (rows[0].inserted as string).split(',').map(name => name.trim())
    expect(inserted.sort()).toEqual(columns.map(({ column }) => column as string).sort())
  })
})
