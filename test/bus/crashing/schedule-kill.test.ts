import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { createTestBus, until } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./schedule-child.mjs', import.meta.url))
const HOUR = 3_600_000
const KILLS = 2

const children = new Map<string, ChildProcess>()

afterEach(() => {
  for (const child of children.values()) child.kill('SIGKILL')
  children.clear()
})

test('F10: three processes with wrong clocks, the leader killed again and again: each second once, by the clock of the database', async () => {
  const { bus, database, log, pool } = await createTestBus()
  const start = (wrongBy: number): void => {
    const url = new URL(database.url)
    const name = `schedules-${children.size}`
    url.searchParams.set('application_name', name)
    const given = JSON.stringify({ wrongBy, log })
    children.set(name, spawn(process.execPath, [script, compiledSource(), url.href, given], { stdio: 'inherit' }))
  }
  /** The process that holds the lock, by the name of its connections. */
  const leader = async (): Promise<string | undefined> => {
    const { rows } = await pool.query(
      `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and a.datname = current_database() and a.application_name like 'schedules-%'
         and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('command_bus_projection schedules', 0)`,
    )
    return rows[0]?.name
  }
  const times = async (): Promise<readonly number[]> => {
    const { rows } = await pool.query(
      `select causation_id from command_bus_command where domain = 'ticks' order by msg_id`,
    )
    return rows.map(({ causation_id }) => Date.parse(causation_id.replace('each-second ', '')))
  }

  for (const wrongBy of [HOUR, -HOUR, 0]) start(wrongBy)
  await until(leader, name => name !== undefined)
  const set = await bus.schedules.set('each-second', {
    domain: 'ticks',
    commandType: 'Tick',
    data: 1,
    cron: '* * * * * *',
  })
  for (let killed = 0, seen = 0; killed < KILLS; killed++) {
    seen = (await until(times, sent => sent.length > seen)).length
    const name = await until(leader, one => one !== undefined && children.has(one))
    const child = children.get(name ?? '') as ChildProcess
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    start(killed % 2 === 0 ? -HOUR : HOUR)
    await until(leader, one => one !== undefined && one !== name)
    seen = (await times()).length
  }
  const before = (await times()).length
  await until(times, sent => sent.length > before)
  const paused = await bus.schedules.pause('each-second', 'the end')
  const last = Date.parse(paused.lastTime ?? '')
  const sent = (await times()).filter(time => time <= last)
  const first = Date.parse(set.next[0] ?? '')
  expect(sent).toEqual(Array.from({ length: (last - first) / 1000 + 1 }, (_, i) => first + i * 1000))
})
