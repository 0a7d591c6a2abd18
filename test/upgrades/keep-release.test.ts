import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import type * as Library from '../../src/index.ts'
import { pack, repository, succeed } from '../package/consumer.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { fillWithEveryKind } from './every-kind.ts'
import { kept, unpack } from './released.ts'
import { dumpRows } from './rows.ts'

/** Tables that have rows only while something goes on, or with a log in EventStoreDB. */
const mayBeEmpty =
  /^command_bus_(archived_\w+|intent|rehearsal|lane_check|paused_message|queue_claim|shared_queue|undelivered|alert_subject|worker)$/

// once for each version, when it is released
test.runIf(process.env.KEEP_RELEASE === '1')('keeps this version, with data of every kind', async () => {
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
  const folder = join(kept, version)
  if (existsSync(folder)) throw new Error(`${version} is kept already: give package.json the next version first`)
  const packed = await pack()
  const directory = await unpack(packed.tarball, `${version}-new`)
  const database = await createEmptyDatabase()
  try {
    const main = join(directory, 'dist', 'main.js')
    const env = { DATABASE_URL: database.url, COMMANDBUS_PROOF_KEY: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }
    await succeed(process.execPath, [main, 'migrate', '--install-pgmq'], directory, env)
    const library: typeof Library = await import(join(directory, 'dist', 'index.js'))
    await fillWithEveryKind(library, database.url)
    await succeed(process.execPath, [main, 'verify'], directory, env)
    const { rows: tables } = await database.pool.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relname like 'command_bus_%' order by 1`,
    )
    const empty: string[] = []
    for (const { name } of tables) {
      if ((await database.pool.query(`select from ${pg.escapeIdentifier(name)} limit 1`)).rowCount === 0)
        empty.push(name)
    }
    expect(empty.filter(name => !mayBeEmpty.test(name))).toEqual([])
    const rows = await dumpRows(database.pool)
    await mkdir(folder, { recursive: true })
    await copyFile(packed.tarball, join(folder, `commandbus-${version}.tgz`))
    await writeFile(join(folder, 'rows.json.gz'), rows)
  } finally {
    await database.drop()
    await packed.remove()
    await rm(directory, { recursive: true, force: true })
  }
})
