import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withClient } from '../../src/infrastructure/postgres/connection/with-client.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts'

/** It downloads the ORMs. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

const tools = ['drizzle-kit@0.31.11', 'drizzle-orm@0.45.4', 'prisma@6.19.3', 'pg@8']

const drizzleSchema = `
  import { pgTable, serial, text } from 'drizzle-orm/pg-core'
  export const orders = pgTable('orders', { id: serial().primaryKey(), name: text().notNull() })`
const prismaSchema = `
  datasource db {
    provider = "postgresql"
    url      = env("DATABASE_URL")
  }
  model orders {
    id   Int    @id @default(autoincrement())
    name String
  }`

describe.skipIf(!asked)("R21: ORMs beside the bus's tables (skipped without COMMANDBUS_TEST_PACKAGE=1)", () => {
  let project: string
  const databases: TestDatabase[] = []

  /** The TypeScript of a chapter of docs/orm.md. */
  const configOf = async (chapter: string): Promise<string> => {
    const page = await readFile(new URL('../../docs/orm.md', import.meta.url), 'utf8')
    const [, text = ''] = new RegExp(`^## ${chapter}$[\\s\\S]*?\`\`\`ts\\n([\\s\\S]*?)\`\`\``, 'm').exec(page) ?? []
    return text
  }

  const kept = <A extends TestDatabase>(database: A): A => {
    databases.push(database)
    return database
  }

  const inOwnSchema = async (): Promise<TestDatabase> => {
    const database = kept(await createEmptyDatabase())
    await withClient(database.pool, client => ensurePgmq(client, { installSql: true }))
    await migrate(database.pool, { schema: 'bus' })
    return database
  }

  const runTool = async (database: TestDatabase, ...args: readonly string[]): Promise<string> => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, DATABASE_URL: database.url }
    const { stdout, stderr } = await promisify(execFile)('npx', args, { cwd: project, env }).catch(error => error)
    return stdout + stderr
  }

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'commandbus-orm-'))
    await mkdir(join(project, 'prisma'))
    await writeFile(join(project, 'package.json'), '{ "private": true }')
    await writeFile(join(project, 'schema.ts'), drizzleSchema)
    await writeFile(join(project, 'drizzle.config.ts'), await configOf('Drizzle'))
    await writeFile(join(project, 'prisma', 'schema.prisma'), prismaSchema)
    await writeFile(join(project, 'plain.config.ts'), "export default { schema: 'prisma/schema.prisma' }")
    await writeFile(join(project, 'external.config.ts'), await configOf('Prisma'))
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...tools], { cwd: project })
  }, 600_000)
  afterAll(async () => {
    for (const database of databases) await database.drop()
    await rm(project, { recursive: true, force: true })
  })

  test('R21: drizzle-kit push changes nothing of the bus', async () => {
    const database = await inOwnSchema()
    const before = await ours(database.pool)
    expect(await runTool(database, 'drizzle-kit', 'push', '--force')).toContain('Changes applied')
    expect(await ours(database.pool)).toEqual(before)
    expect(await hasOrders(database.pool)).toBe(true)
  })

  test.for([
    ['plain', inOwnSchema],
    ['external', async () => kept(await createTestDatabase())],
  ] as const)('R21: prisma db push changes nothing of the bus (%s)', async ([config, open], context) => {
    const database = await open()
    const before = await ours(database.pool)
    const output = await runTool(database, 'prisma', 'db', 'push', '--skip-generate', '--config', `${config}.config.ts`)
    if (output.includes('binaries.prisma.sh')) context.skip('the engine of Prisma cannot be downloaded here')
    expect(output).toContain('in sync')
    expect(await ours(database.pool)).toEqual(before)
    expect(await hasOrders(database.pool)).toBe(true)
  })
})

const ours = async (pool: pg.Pool): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where starts_with(c.relname::text, 'command_bus_') or n.nspname = 'pgmq' order by 1`,
  )
  return rows.map(({ name }) => name)
}

const hasOrders = async (pool: pg.Pool): Promise<boolean> =>
  (await pool.query("select to_regclass('public.orders') is not null as there")).rows[0]?.there
