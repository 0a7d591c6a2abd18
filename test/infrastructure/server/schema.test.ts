import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrationsDirectory } from '../../../src/infrastructure/postgres/schema/migration-files.ts'
import { createTestDatabase } from '../../support/database.ts'
import { schemaDump } from '../../support/schema-dump.ts'

const file = join(migrationsDirectory(), 'schema.txt')

/** To write the file again after a new migration: UPDATE_SCHEMA=1 npx vitest run test/infrastructure/server/schema.test.ts */
test('the migrations make the schema that migrations/schema.txt shows', async context => {
  const database = await createTestDatabase()
  try {
    const { rows } = await database.pool.query(`select current_setting('server_version_num')::int / 10000 as major`)
    // other versions print the same definitions differently
    if (rows[0].major !== 18) return context.skip('the file is of PostgreSQL 18')
    const dump = await schemaDump(database.pool)
    if (process.env.UPDATE_SCHEMA === '1') await writeFile(file, dump)
    expect(dump).toBe((await readFile(file, 'utf8')).replaceAll('\r\n', '\n'))
  } finally {
    await database.drop()
  }
})
