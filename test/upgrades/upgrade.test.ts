import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as ours from '../../src/index.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { migrationsDirectory } from '../../src/infrastructure/postgres/schema/migration-files.ts'
import { succeed } from '../package/consumer.ts'
import { until } from '../support/bus.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { openReleased, releasedVersions } from './released.ts'
import { loadRows } from './rows.ts'

type Library = typeof ours

/** The migrations of this version and one that may follow: what a next release does to busy tables. */
const withNextMigration = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-next-'))
  await cp(migrationsDirectory(), directory, { recursive: true, dereference: true })
  const count = (await readdir(directory)).filter(file => file.endsWith('.sql')).length
  await writeFile(
    join(directory, `${String(count + 1).padStart(4, '0')}_next.sql`),
    `alter table command_bus_command add column next text not null default 'x';
     alter table command_bus_lane add column next int;
     create index command_bus_command_next on command_bus_command (next, created_at);
     create table command_bus_next (id int primary key);`,
  )
  return directory
}

/** Sends one command after the other, each when the one before was handled, until it is stopped. */
const keepWorking = async ({ createCommandBus }: Library, databaseUrl: string, name: string) => {
  const bus = createCommandBus({ databaseUrl, service: name })
  const worker = bus.worker({ domain: 'later', handlers: { '*': { handle: () => name } }, pollMs: 100 })
  await worker.start()
  let stopped = false
  let done = 0
  const sending = (async () => {
    while (!stopped) {
      await bus.request('later', 'Order', { by: name, n: done }, { key: `key ${done % 3}`, timeoutMs: 60_000 })
      done++
    }
  })()
  return {
    bus,
    /** Waits until so many more were handled. */
    more: async (count: number) => {
      const from = done
      await Promise.race([
        sending,
        until(
          async () => done,
          now => now >= from + count,
        ),
      ])
    },
    stop: async () => {
      stopped = true
      await sending
      await bus.close()
      return done
    },
  }
}

describe.each(await releasedVersions())('version %s', version => {
  test('K7: its migrations never change', async () => {
    const { directory } = await openReleased(version)
    const files = (await readdir(join(directory, 'migrations'))).filter(file => file.endsWith('.sql'))
    for (const file of files)
      expect([file, await readFile(join(migrationsDirectory(), file), 'utf8').catch(() => null)]).toEqual([
        file,
        await readFile(join(directory, 'migrations', file), 'utf8'),
      ])
    await rm(directory, { recursive: true })
  })

  test('K7: a dump of it is migrated while its worker and its sender go on, and nothing is lost', async () => {
    const { directory, rows } = await openReleased(version)
    const next = await withNextMigration()
    const database = await createEmptyDatabase()
    const count = async (where: string): Promise<number> =>
      (await database.pool.query(`select count(*)::int as n from command_bus_command where ${where}`)).rows[0].n
    const main = join(directory, 'dist', 'main.js')
    await succeed(process.execPath, [main, 'migrate', '--install-pgmq'], directory, { DATABASE_URL: database.url })
    const before = await loadRows(database.pool, rows)

    const library: Library = await import(join(directory, 'dist', 'index.js'))
    const old = await keepWorking(library, database.url, 'old')
    await old.more(5)
    await migrate(database.pool)
    await old.more(5)
    const applied = await migrate(database.pool, { directory: next })
    expect(applied.map(({ name }) => name)).toEqual(['next'])
    await old.more(5)
    // also a process of the old version that starts now, and one of this version beside them
    const late = await keepWorking(library, database.url, 'late')
    const now = await keepWorking(ours, database.url, 'now')
    await Promise.all([old.more(5), late.more(5), now.more(5)])

    // what was waiting in the dump was worked off, what was parked is operated on
    await until(
      () => count(`domain = 'later' and status <> 'COMPLETED'`),
      open => open <= 3,
    )
    const [parked] = (await now.bus.troubleshooting.list({ domain: 'shop' })).items
    await now.bus.troubleshooting.complete('shop', parked?.commandId ?? '', { operator: 'ann', resultData: null })
    expect(await now.bus.getCommand('shop', parked?.commandId ?? '')).toMatchObject({ status: 'COMPLETED' })
    expect((await now.bus.actions.list()).items).toHaveLength(before['public.command_bus_action'] ?? -1)
    expect(await now.bus.maintenance.verify()).toEqual([])
    expect(await now.bus.maintenance.verifyLog()).toMatchObject({ findings: [] })
    expect(await late.bus.maintenance.verify()).toEqual([])

    const sent = (await old.stop()) + (await late.stop()) + (await now.stop())
    expect(await count(`domain = 'later' and status = 'COMPLETED'`)).toBe(sent + 10)
    for (const [table, was] of Object.entries(before)) {
      if (table.startsWith('pgmq.') || table.endsWith('.command_bus_worker')) continue
      const { rows: found } = await database.pool.query(`select count(*)::int as n from ${table}`)
      expect([table, found[0].n >= was || /lane|paused|queue_claim|type_figure|sample/.test(table)]).toEqual([
        table,
        true,
      ])
    }
    await database.drop()
    await rm(next, { recursive: true })
    await rm(directory, { recursive: true })
  })
})
