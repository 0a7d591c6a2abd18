import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { collect, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

const moduleWith = async (text: string): Promise<string> => {
  const path = join(program.directory, `handlers-${Math.random().toString(36).slice(2)}.mjs`)
  await writeFile(path, text)
  return path
}

const faults = {
  'a rejection that floats': `void Promise.reject(new Error('boom'))`,
  'an exception in a timer': `setTimeout(() => { throw new Error('boom') })`,
}

test.each(Object.entries(faults))(
  'R7: after %s the log names what was running, with its stack; other commands lose no attempt, and the cause is parked',
  async (_, fault) => {
    const { bus, database, until } = await createTestBus()
    const handlers = await moduleWith(`
      let running = 0, resolve
      const all = new Promise(r => { resolve = r })
      export const handlers = {
        payments: {
          // the first time, all ten run when the poison does what it does
          Charge: async (_, { totalAttempts }) => { if (totalAttempts === 1) { if (++running === 9) resolve(); await new Promise(() => {}) } },
          Poison: async (_, { totalAttempts }) => { if (totalAttempts === 1) await all; ${fault}; await new Promise(() => {}) },
        },
      }`)
    const innocents = await bus.sendBatch(
      'payments',
      Array(9).fill({ commandType: 'Charge', data: {}, maxAttempts: 1 }),
    )
    const poison = await bus.send('payments', 'Poison', {}, { maxAttempts: 2, backoffSeconds: [0] })
    const env = { DATABASE_URL: database.url }
    const said: string[] = []
    const over = until(
      () => bus.getCommand('payments', poison.commandId),
      c => c?.status === 'IN_TROUBLESHOOTING_QUEUE',
    )
    for (let isOver = false; !isOver; ) {
      const worker = program.launch(['worker', '--handlers', handlers], { env })
      const output = collect(worker)
      isOver = await Promise.race([over.then(() => true), once(worker, 'exit').then(() => false)])
      said.push(output.stderr)
    }
    expect(await bus.getCommand('payments', poison.commandId)).toMatchObject({
      parkedReason: 'EXHAUSTED',
      lastErrorCode: 'WORKER_CRASHED',
      lastErrorMsg: 'Its worker process ended while it ran: boom',
      attempts: 2,
      totalAttempts: 3,
    })
    const last = program.launch(['worker', '--handlers', handlers], { env })
    for (const { commandId } of innocents) {
      const done = await until(
        () => bus.getCommand('payments', commandId),
        c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
      )
      expect(done).toMatchObject({ status: 'COMPLETED', attempts: 1 })
    }
    last.kill('SIGTERM')
    await once(last, 'exit')
    const [first] = (said[0] ?? '')
      .split('\n')
      .filter(text => text.includes('uncaught error'))
      .map(text => JSON.parse(text))
    expect(first.stack).toMatch(/Error: boom\n\s+at .*handlers-/)
    expect(first.running).toHaveLength(10)
    expect(first.running).toContainEqual(
      expect.objectContaining({ domain: 'payments', commandId: poison.commandId, commandType: 'Poison', attempt: 1 }),
    )
  },
)

test('R7: a worker that reads again the message of a running handler does not start it twice, and its outcome counts', async () => {
  const { bus, pool, until, work, messages } = await createTestBus()
  let begun = 0
  const running = signal()
  const go = signal()
  await work({
    domain: 'payments',
    leaseSeconds: 30,
    pollMs: 20,
    handlers: {
      Charge: async () => {
        begun++
        running.resolve()
        await go.promise
        return begun
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
  await running.promise
  // as after a time in which nothing could be kept
  await pool.query(`update pgmq.q_payments__commands set vt = clock_timestamp() - interval '1 s'`)
  // it is read, then kept and its read taken back: the count is 2 in between
  await until(
    () => messages('payments__commands'),
    ([message]) => message?.read_ct === 1 && message.vt.getTime() > Date.now() + 20_000,
  )
  go.resolve()
  const done = await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
  )
  expect(done).toMatchObject({ status: 'COMPLETED', result: 1, totalAttempts: 1 })
})

test('R7: a message that another worker had in between starts only after its old handler has ended', async () => {
  const { bus, pool, until, work } = await createTestBus()
  let atOnce = 0
  let most = 0
  const begun: number[] = []
  const running = signal()
  const go = signal()
  await work({
    domain: 'payments',
    leaseSeconds: 30,
    pollMs: 20,
    handlers: {
      Charge: async (_, { attempt }) => {
        begun.push(attempt)
        most = Math.max(most, ++atOnce)
        running.resolve()
        await go.promise
        atOnce--
        return attempt
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'IN_PROGRESS',
  )
  await pool.query(
    `update pgmq.q_payments__commands set vt = clock_timestamp() - interval '1 s', read_ct = read_ct + 1`,
  )
  // given back for a moment, uncounted
  await until(
    async () => (await pool.query('select vt > now() as hidden, read_ct from pgmq.q_payments__commands')).rows[0],
    ({ hidden, read_ct }) => hidden && read_ct === 2,
  )
  go.resolve()
  const done = await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect(most).toBe(1)
  expect(begun[0]).toBe(1)
  expect(done?.status).toBe('COMPLETED')
})

test('R7: a blocked event loop is logged with what was running', async () => {
  const said: { readonly fields: object; readonly message: string }[] = []
  const warn = (fields: object, message: string) => void said.push({ fields, message })
  const { bus, until, work } = await createTestBus({ log: { ...silentLog, warn } })
  const { commandId } = await bus.send('payments', 'Compute', {})
  await work({
    domain: 'payments',
    handlers: {
      Compute: () => {
        const end = performance.now() + 2_500
        while (performance.now() < end);
      },
    },
  })
  const [stall] = await until(
    async () => said.filter(({ message }) => message.startsWith('the event loop was blocked')),
    found => found.length > 0,
  )
  expect(stall?.fields).toMatchObject({
    running: [{ domain: 'payments', commandId, commandType: 'Compute', attempt: 1 }],
  })
})
