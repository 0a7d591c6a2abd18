import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { priorities } from '../../../src/domain/flow/priority.ts'
import { InvalidInputError, PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import { CYCLE, readOrder } from '../../../src/infrastructure/worker/queues/read-order.ts'
import { createTestBus, signal, type TestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'

const inDomain = async ({ bus }: TestBus, domain: string, status: 'COMPLETED' | 'PENDING') =>
  (await bus.queryCommands({ domain, status })).items.length
const allDone = (setup: TestBus, domain: string, count: number) =>
  setup.until(
    () => inDomain(setup, domain, 'COMPLETED'),
    done => done === count,
  )
/** Commands of each priority, the low ones sent first. */
const mixed = (high: number, normal: number, low: number) =>
  ([...'l'.repeat(low), ...'n'.repeat(normal), ...'h'.repeat(high)] as const).map(letter => ({
    commandType: 'Post',
    data: letter,
    ...(letter === 'n' ? {} : { priority: letter === 'h' ? ('high' as const) : ('low' as const) }),
  }))

test('F2: in any stretch of 16 reads each class comes first: high in 11, normal in 4, low in one of them', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), from => {
      const orders = Array.from({ length: CYCLE }, (_, i) => readOrder(from + i))
      const firsts = orders.map(([first]) => first)
      expect(priorities.map(one => firsts.filter(first => first === one).length)).toEqual([11, 4, 1])
      for (const order of orders) expect([...order].sort()).toEqual([...priorities].sort())
    }),
  )
})

describe('a worker of a domain with priorities', () => {
  test('F2: begins high before normal before low, and low ones run while high ones still wait', async () => {
    const setup = await createTestBus()
    const { bus, work } = setup
    const begun: unknown[] = []
    // longer than what is read ahead for: each read takes one message
    const Post = async (data: unknown) => {
      begun.push(data)
      await delay(30)
    }
    await bus.sendBatch('mail', mixed(24, 6, 3))
    await work({ domain: 'mail', handlers: { Post }, concurrency: 1, pollMs: 60_000 })
    await allDone(setup, 'mail', 33)
    const of = (letter: string, among = begun) => among.filter(one => one === letter).length
    expect(begun.slice(0, 3)).toEqual(['h', 'h', 'h'])
    const first = begun.slice(0, 16)
    expect([of('h', first), of('n', first), of('l', first)]).toEqual([11, 4, 1])
    expect([of('h'), of('n'), of('l')]).toEqual([24, 6, 3])
    expect(begun.at(-1)).toBe('l')
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('F2: finds the first high command of a domain at once, and reads no queue that does not exist', async () => {
    const setup = await createTestBus()
    const { bus, another, work, pool } = setup
    const { commandId: plain } = await bus.send('mail', 'Post', 1)
    await work({ domain: 'mail', handlers: { Post: data => data }, pollMs: 60_000 })
    await allDone(setup, 'mail', 1)
    const queues = async () =>
      (await pool.query('select queue_name from pgmq.meta order by 1')).rows.map(r => r.queue_name)
    expect(await queues()).toEqual(['mail__commands'])
    // by this process and by another one: the notification names the queue
    await bus.send('mail', 'Post', 2, { priority: 'high' })
    await allDone(setup, 'mail', 2)
    await another().send('mail', 'Post', 3, { priority: 'low' })
    await allDone(setup, 'mail', 3)
    expect(await queues()).toEqual(['mail__commands', 'mail__commands__high', 'mail__commands__low'])
    expect((await bus.getCommand('mail', plain))?.queueName).toBe('mail__commands')
  })

  test('F2: keeps messages of the same id on three queues apart: leases, hand-backs and outcomes', async () => {
    const setup = await createTestBus()
    const { bus, work, messages, until } = setup
    const begun: string[] = []
    const go = signal()
    const commands = mixed(1, 1, 1).map(one => ({ ...one, replyTo: 'answers' }))
    const sent = await bus.sendBatch('mail', commands)
    expect(sent.map(({ msgId }) => msgId ?? '1')).toEqual(['1', '1', '1'])
    const Post = async (data: unknown) => {
      begun.push(String(data))
      await go.promise
      if (data === 'h') throw new TransientCommandError('BUSY', 'try again')
      return data
    }
    const handlers = { Post }
    const first = await work({ domain: 'mail', handlers, leaseSeconds: 1 })
    await until(
      async () => begun.length,
      count => count === 3,
    )
    const reads = async () =>
      (await Promise.all(['', '__high', '__low'].map(end => messages(`mail__commands${end}`)))).map(all =>
        all.map(({ msg_id, read_ct }) => `${msg_id}/${read_ct}`),
      )
    // longer than a lease, which the worker extends on each queue
    await delay(2_500)
    expect(await reads()).toEqual([['1/1'], ['1/1'], ['1/1']])
    go.resolve()
    await until(
      async () => (await bus.queryCommands({ domain: 'mail', errorCode: 'BUSY' })).items,
      ([failed]) => failed?.status === 'PENDING',
    )
    expect(begun.sort()).toEqual(['h', 'l', 'n'])
    await allDone(setup, 'mail', 2)
    await first.stop()
    expect(await reads()).toEqual([[], ['1/1'], []])
    expect(await messages('answers')).toHaveLength(2)
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('F2: gives back on each queue what it has not begun, uncounted', async () => {
    const setup = await createTestBus()
    const { bus, another, messages } = setup
    const quick = { Post: () => null }
    await bus.sendBatch('mail', mixed(25, 25, 25))
    const worker = bus.worker({ domain: 'mail', concurrency: 2, handlers: { Post: () => delay(20) } })
    await worker.start()
    await setup.until(
      () => inDomain(setup, 'mail', 'COMPLETED'),
      done => done >= 6,
    )
    await worker.stop()
    for (const end of ['', '__high', '__low']) {
      for (const { read_ct } of await messages(`mail__commands${end}`)) expect(read_ct).toBe(0)
    }
    await setup.work({ domain: 'mail', handlers: quick }, another())
    await allDone(setup, 'mail', 75)
    expect(await bus.maintenance.verify()).toEqual([])
  })

  test('F2: an operator retries on the same queue, and queues are counted and kept each by itself', async () => {
    const setup = await createTestBus()
    const { bus, work, until, messages } = setup
    const { commandId } = await bus.send('mail', 'Post', 1, { priority: 'low' })
    await bus.send('mail', 'Other', 1, { priority: 'high' })
    let fails = true
    const Post = () => {
      if (fails) throw new PermanentCommandError('NO', 'not now')
      return null
    }
    const worker = await work({ domain: 'mail', handlers: { Post, '*': () => null } })
    await until(() => bus.getCommand('mail', commandId), isParked)
    await worker.stop()
    fails = false
    const { items } = { items: (await bus.queryCommands({ domain: 'mail' })).items }
    expect(items.map(({ priority, queueName }) => [priority, queueName])).toEqual(
      expect.arrayContaining([
        ['low', 'mail__commands__low'],
        ['high', 'mail__commands__high'],
      ]),
    )
    await bus.troubleshooting.retry('mail', commandId, { operator: 'jane' })
    expect(await messages('mail__commands__low')).toHaveLength(1)
    const { queues, domains } = await bus.as({ subject: 'jane', tenant: null, roles: ['ADMIN'] }).stats()
    expect(queues.filter(({ depth }) => depth > 0).map(({ queue }) => queue)).toEqual(['mail__commands__low'])
    expect(domains).toMatchObject([{ domain: 'mail', PENDING: 1 }])
    await work({ domain: 'mail', handlers: { Post, '*': () => null } }, setup.another())
    await allDone(setup, 'mail', 2)
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('F2: does not run a copy of a normal message on another queue, and keeps it as a stranger', async () => {
    const setup = await createTestBus()
    const { bus, pool, work, messages, until } = setup
    const { commandId } = await bus.send('mail', 'Post', 1, { delaySeconds: 3_600 })
    await bus.send('mail', 'Post', 2, { priority: 'high', delaySeconds: 3_600 })
    await setup.until(
      () => messages('mail__commands__high'),
      all => all.length === 1,
    )
    await pool.query(`select pgmq.send('mail__commands__high', message) from pgmq.q_mail__commands`)
    await work({ domain: 'mail', handlers: { Post: () => expect.unreachable() } })
    await until(
      async () => (await pool.query('select * from command_bus_stranger')).rows,
      ([found]) => found?.queue === 'mail__commands__high' && /belongs on queue 'mail__commands'/.test(found.why),
    )
    expect(await messages('mail__commands')).toHaveLength(1)
    expect(await bus.getCommand('mail', commandId)).toMatchObject({ status: 'PENDING', totalAttempts: 0 })
  })
})

test('F2: a domain whose queue of a priority would be too long says so at the send', async () => {
  const { bus, pool } = await createTestBus()
  const domain = `a${'b'.repeat(36)}`
  const sending = bus.send(domain, 'Post', 1, { priority: 'high' })
  await expect(sending).rejects.toThrow(InvalidInputError)
  await expect(sending).rejects.toThrow(/is too long for another priority than normal: queue '.*__high' would have 53/)
  await expect(bus.send('mail', 'Post', 1, { priority: 'urgent' as never })).rejects.toThrow(/high, normal, low/)
  expect((await pool.query('select from pgmq.meta')).rowCount).toBe(0)
  expect(await bus.send(domain, 'Post', 1, { priority: 'normal' })).toMatchObject({ domain })
})
