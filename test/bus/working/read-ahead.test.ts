import type { QueryConfig } from 'pg'
import { expect, test } from 'vitest'
import { createPgmqQueue } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createRoom } from '../../../src/infrastructure/worker/room.ts'
import { createTestBus } from '../../support/bus.ts'
import { collect, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('R8: a worker with a small heap handles many large commands: it reads ahead by size, not only by number', async () => {
  const { bus, pool, database, until } = await createTestBus()
  const total = 80
  for (let i = 0; i < total; i += 10) {
    await bus.sendBatch(
      'demo',
      Array.from({ length: 10 }, () => ({ commandType: 'Large', data: { text: 'x'.repeat(1_000_000) } })),
    )
  }
  const worker = program.launch(['worker', '--demo', '--domain', 'demo'], {
    env: { DATABASE_URL: database.url, NODE_OPTIONS: '--max-old-space-size=80' },
  })
  const output = collect(worker)
  const completed = async () =>
    (await pool.query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)).rows[0].n
  const done = await until(
    async () => ({ n: await completed(), died: worker.exitCode ?? worker.signalCode }),
    ({ n, died }) => n === total || died !== null,
  )
  expect({ ...done, said: output.stderr.match(/out of memory/)?.[0] ?? null }).toEqual({
    n: total,
    died: null,
    said: null,
  })
})

test('R8: a read takes as many messages as fit beside those in memory, by recent sizes, and at least one', () => {
  const MiB = 1024 * 1024
  const room = createRoom(16 * MiB)
  expect(room.fitting()).toBe(16)
  const small = { size: MiB / 1024 }
  for (let i = 0; i < 20; i++) room.saw([small])
  expect(room.fitting()).toBe(16 * 1024)
  const large = { size: 4 * MiB }
  room.saw([large])
  expect(room.fitting()).toBe(4)
  room.take(large)
  expect(room.fitting()).toBe(3)
  for (let i = 0; i < 3; i++) room.take(large)
  expect(room.fitting()).toBe(0)
  for (let i = 0; i < 4; i++) room.give(large)
  room.saw([{ size: 100 * MiB }])
  expect(room.fitting()).toBe(1)
})

test('R7: messages that were read and cannot be accepted go back, and their read does not count', async () => {
  const { pool, messages } = await createTestBus()
  const catalog = createQueueCatalog(pool)
  await catalog.ensure(new Set(['q__commands']))
  await pool.query(`select pgmq.send('q__commands', '{"a": 1}')`)
  const damaging = new Proxy(pool, {
    get: (target, key) =>
      key === 'query'
        ? async (query: string | QueryConfig, values?: unknown[]) => {
            const { rows } = await target.query(query, values)
            return { rows: rows.map(row => ('message' in row ? { ...row, data: '{' } : row)) }
          }
        : Reflect.get(target, key),
  })
  await expect(createPgmqQueue(damaging, catalog).read('q__commands', 10, 30_000)).rejects.toThrow(SyntaxError)
  const [message] = await messages('q__commands')
  expect(message?.read_ct).toBe(0)
  expect(message?.vt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
})
