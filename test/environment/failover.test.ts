import pg from 'pg'
import { expect, test } from 'vitest'
import { createCommandBus } from '../../src/index.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { until } from '../support/bus.ts'
import { installedVersions, startInstalled } from '../support/servers/installed-postgres.ts'
import { startStandby } from '../support/servers/standby.ts'

const on = async <A>(url: string, body: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await body(client)
  } finally {
    await client.end()
  }
}

/** Waits until the server says so; it may not answer yet. */
const untilOn = (url: string, sql: string): Promise<unknown> =>
  until(
    () => on(url, async client => (await client.query<{ yes: boolean }>(sql)).rows[0]?.yes === true).catch(() => false),
    yes => yes,
  )

const version = installedVersions().at(-1)

test.skipIf(version === undefined)(
  'a standby that takes over has all that was accepted, and senders and workers go on with it by themselves',
  async () => {
    if (version === undefined) return
    const primary = await startInstalled(version)
    const stops = [primary.stop]
    try {
      await on(primary.url, async client => {
        await ensurePgmq(client, { installSql: true })
        await migrate(client)
      })
      const standby = await startStandby(version, primary.url)
      stops.push(standby.stop)
      // from now on, commits wait for the standby
      await on(primary.url, async client => {
        await client.query(`alter system set synchronous_standby_names = '*'`)
        await client.query('select pg_reload_conf()')
      })
      await untilOn(primary.url, `select exists (select from pg_stat_replication where sync_state = 'sync') as yes`)

      const hosts = [primary.url, standby.url].map(url => new URL(url).host).join(',')
      const bus = createCommandBus({ databaseUrl: `postgres://admin@${hosts}/postgres` })
      let mayRun = () => {}
      const gate = new Promise<void>(resolve => {
        mayRun = resolve
      })
      let begun = 0
      const handle = async () => {
        begun++
        await gate
        return { done: true }
      }
      const worker = bus.worker({ domain: 'shop', handlers: { Buy: handle }, pollMs: 100, concurrency: 3 })
      try {
        await worker.start()
        const accepted = await bus.sendBatch(
          'shop',
          Array.from({ length: 10 }, (_, i) => ({ commandType: 'Buy', data: { i } })),
        )
        expect(accepted.map(({ outcome }) => outcome)).toEqual(Array(10).fill('accepted'))
        await until(
          async () => begun,
          n => n === 3,
        )
        // a standby answers reads, and is a little behind
        await untilOn(standby.url, 'select count(*) = 10 as yes from command_bus_command')

        await primary.stop()
        stops.shift()
        await on(standby.url, async client => {
          expect((await client.query('select pg_promote() as yes')).rows).toEqual([{ yes: true }])
          await client.query(`alter system set synchronous_standby_names = ''`)
          await client.query('select pg_reload_conf()')
        })
        mayRun()
        const later = await until(
          () =>
            bus.send('shop', 'Buy', { i: 10 }, { commandId: '5f0c2a7e-0000-4000-8000-000000000010' }).catch(() => null),
          sent => sent !== null,
        )
        expect(later?.commandId).toBe('5f0c2a7e-0000-4000-8000-000000000010')
        await untilOn(
          standby.url,
          `select count(*) filter (where status = 'COMPLETED') = 11 and count(*) = 11 as yes from command_bus_command`,
        )
        expect(await bus.maintenance.verify()).toEqual([])
      } finally {
        mayRun()
        await worker.stop({ deadlineMs: 0 })
        await bus.close()
      }
    } finally {
      for (const stop of stops.reverse()) await stop()
    }
  },
)
