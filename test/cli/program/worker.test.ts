import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { lineOf, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

const moduleWith = async (text: string): Promise<string> => {
  const path = join(program.directory, `handlers-${Math.random().toString(36).slice(2)}.mjs`)
  await writeFile(path, text)
  return path
}

describe('worker', () => {
  test("handles commands with the handlers of a user's module, and stops when asked", async () => {
    const { bus, database, until } = await createTestBus()
    const handlers = await moduleWith(`
      import { BusinessRuleError, defineHandler } from 'commandbus'
      export const handlers = {
        payments: { Charge: data => ({ charged: data.amount }) },
        orders: { Ship: defineHandler({ handle: () => { throw new BusinessRuleError('SOLD_OUT', 'nothing is left') } }) },
      }`)
    const worker = program.launch(['worker', '--handlers', handlers], { env: { DATABASE_URL: database.url } })
    expect(await lineOf(worker, 'stdout', line => line.startsWith('Working'))).toBe(
      'Working on payments, orders. Ctrl-C stops.',
    )
    const charge = await bus.send('payments', 'Charge', { amount: 5 })
    const ship = await bus.send('orders', 'Ship', {})
    const done = await until(
      () => bus.getCommand('payments', charge.commandId),
      command => command?.status === 'COMPLETED',
    )
    expect(done?.result).toEqual({ charged: 5 })
    const failed = await until(
      () => bus.getCommand('orders', ship.commandId),
      command => command?.status === 'FAILED',
    )
    expect(failed?.lastErrorCode).toBe('SOLD_OUT')
    worker.kill('SIGTERM')
    expect(await once(worker, 'exit')).toEqual([0, null])
  })

  test('A26: lets a running handler finish before it stops', async () => {
    const { bus, database, until } = await createTestBus()
    const worker = program.launch(['worker', '--demo'], { env: { DATABASE_URL: database.url } })
    await lineOf(worker, 'stdout', line => line.startsWith('Working'))
    const { commandId } = await bus.send('demo', 'Slow', { behavior: { durationMs: 400 } })
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    worker.kill('SIGINT')
    expect(await once(worker, 'exit')).toEqual([0, null])
    expect(await bus.getCommand('demo', commandId)).toMatchObject({ status: 'COMPLETED', attempts: 1 })
  })

  test('A26: returns the command of a handler that does not end before the deadline', async () => {
    const { bus, database, until, messages } = await createTestBus()
    const worker = program.launch(['worker', '--demo', '--deadline', '0'], { env: { DATABASE_URL: database.url } })
    await lineOf(worker, 'stdout', line => line.startsWith('Working'))
    const { commandId } = await bus.send('demo', 'Slow', { behavior: { durationMs: 60_000 } })
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    worker.kill('SIGTERM')
    expect(await once(worker, 'exit')).toEqual([0, null])
    const [message] = await messages('demo__commands')
    expect(message?.vt.getTime()).toBeLessThanOrEqual(Date.now())
  })
})

describe('a worker that is asked to stop twice', () => {
  test('R3: runs as many transactional handlers at once as configured, whatever the default size of a pool', async () => {
    const { bus, database, until } = await createTestBus()
    const handlers = await moduleWith(`
      import { defineHandler } from 'commandbus'
      let begun = 0, resolve
      const all = new Promise(r => { resolve = r })
      const handle = async () => { if (++begun === 14) resolve(); await all }
      export const handlers = { payments: { Charge: defineHandler({ transactional: true, handle }) } }`)
    const sent = await bus.sendBatch('payments', Array(14).fill({ commandType: 'Charge', data: {}, maxAttempts: 1 }))
    program.launch(['worker', '--handlers', handlers, '--concurrency', '14'], { env: { DATABASE_URL: database.url } })
    for (const { commandId } of sent) {
      await until(
        () => bus.getCommand('payments', commandId),
        command => command?.status === 'COMPLETED',
      )
    }
  })

  test('ends at once the second time', async () => {
    const { bus, database, until } = await createTestBus()
    const worker = program.launch(['worker', '--demo'], { env: { DATABASE_URL: database.url } })
    await lineOf(worker, 'stdout', line => line.startsWith('Working'))
    const { commandId } = await bus.send('demo', 'Slow', { behavior: { durationMs: 60_000 } })
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    const ended = once(worker, 'exit')
    // npm and the terminal both pass on one Ctrl-C, so signals close to the first one are the same one
    const insist = setInterval(() => worker.kill('SIGTERM'), 100)
    expect(await ended).toEqual([143, null])
    clearInterval(insist)
  })
})

describe('an invalid module of handlers', () => {
  const cases: readonly (readonly [text: string, flags: readonly string[], sentence: string])[] = [
    ['export const handler = {}', [], 'must export `handlers`'],
    [
      'export const handlers = { payments: { Charge: 5 } }',
      [],
      "must give 'payments' an object of handlers by command type",
    ],
    ['export const handlers = { Charge: () => 1 }', [], 'for a module of one domain, name it with --domain'],
    ['export const handlers = { "Pay Ments": { Charge: () => 1 } }', [], "'Pay Ments' is not a valid domain name"],
    ['throw new Error("not today")', [], 'cannot be loaded (not today)'],
    ['export const handlers = {}', ['--domain', 'payments'], "must give 'payments' an object"],
  ]

  test.concurrent.each(cases)('%s', async (text, flags, sentence) => {
    const answer = await program.run(['worker', '--handlers', await moduleWith(text), ...flags])
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
  })

  test('may hold the handlers of only one domain, if the domain is named', async () => {
    const { database } = await createTestBus()
    const handlers = await moduleWith('export const handlers = { Charge: () => 1 }')
    const env = { DATABASE_URL: database.url }
    const worker = program.launch(['worker', '--handlers', handlers, '--domain', 'payments'], { env })
    expect(await lineOf(worker, 'stdout', line => line !== '')).toBe('Working on payments. Ctrl-C stops.')
    worker.kill('SIGTERM')
    await once(worker, 'exit')
  })
})
