import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createPollBackOff } from '../../../src/infrastructure/shared/poll-back-off.ts'
import { createTestActions, onceEach, parkMany, running, type TestActions, tracesOf } from '../../support/actions.ts'
import { createTestBus, signal, type TestBus } from '../../support/bus.ts'

const jane = { operator: 'jane@example.com' }

/** Counts the statements of a pool that match. */
const queriesLike = (pool: pg.Pool, pattern: RegExp) => {
  const query = pool.query.bind(pool)
  let count = 0
  const counting = (...args: Parameters<typeof query>) => {
    if (pattern.test(String(args[0]))) count++
    return query(...args)
  }
  pool.query = counting as typeof pool.query
  return { count: () => count }
}

const viewUntil = ({ until }: TestBus, actions: TestActions, id: string, is: (view: View) => boolean): Promise<View> =>
  until(
    async () => (await actions.get(id, { items: { limit: 500 } })) as View,
    view => is(view),
  )
type View = NonNullable<Awaited<ReturnType<TestActions['get']>>>

const isWaiting = (view: View): boolean => view.status === 'WAITING_FOR_CANARY' && view.succeeded >= (view.canary ?? 0)
const isOver = (view: View): boolean => view.status === 'COMPLETED' || view.status === 'CANARY_FAILED'

describe('a canary', () => {
  test('runs first, its oldest commands first; the rest follows when the whole canary has completed', async () => {
    const test = await createTestBus()
    const { bus, pool, messages, work } = test
    const oldest = await parkMany(pool, 3, { at: '2026-01-02T00:00:00Z' })
    await parkMany(pool, 20)
    const actions = createTestActions(pool)
    const runner = running(actions)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 3 })
    const waiting = await viewUntil(test, actions, actionId, isWaiting)
    expect(waiting).toMatchObject({ status: 'WAITING_FOR_CANARY', total: 23, succeeded: 3, canary: 3 })
    const sent = await messages('payments__commands')
    expect(sent.map(({ message }) => message.command_id).sort()).toEqual([...oldest].sort())

    await work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    const done = await viewUntil(test, actions, actionId, isOver)
    await runner.stop()
    expect(done).toMatchObject({ status: 'COMPLETED', succeeded: 23, skipped: 0, note: null })
    await test.until(
      () => tracesOf(pool),
      traces => traces.rows.COMPLETED === 23,
    )
    expect((await tracesOf(pool)).audit).toEqual({ OPERATOR_RETRY: onceEach(23) })
    expect((await bus.queryCommands({ status: 'COMPLETED' })).items).toHaveLength(23)
  })

  test('that nobody handles is polled less and less often, in the end every five seconds', () => {
    let now = 0
    const polls = createPollBackOff(() => now)
    const at: number[] = []
    for (; now < 60_000; now += 100) {
      if (!polls.isDue('a')) continue
      at.push(now)
      polls.slowDown('a')
    }
    expect(at.slice(0, 7)).toEqual([0, 200, 600, 1400, 3000, 6200, 11_200])
    expect(at.length).toBeLessThan(20)
    polls.reset('a')
    expect([polls.isDue('a'), polls.nextIn()]).toEqual([true, null])
  })

  test('is not over while one of its commands still runs', async () => {
    const test = await createTestBus()
    const { pool, work } = test
    await parkMany(pool, 4)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 2 })
    const held = signal()
    let handled = 0
    const Charge = () => (++handled === 1 ? 'done' : held.promise)
    await work({ domain: 'payments', handlers: { Charge } })
    const polls = queriesLike(pool, /left join lateral/)
    const done = actions.runOne(actionId)
    await test.until(
      () => tracesOf(pool),
      ({ rows }) => rows.COMPLETED === 1 && rows.IN_PROGRESS === 1,
    )
    // it polls several times, and nothing changes
    const seen = polls.count()
    await test.until(
      async () => polls.count(),
      count => count >= seen + 2,
    )
    expect(await actions.get(actionId)).toMatchObject({ status: 'WAITING_FOR_CANARY', succeeded: 2 })
    held.resolve()
    expect(await done).toMatchObject({ status: 'COMPLETED', succeeded: 4 })
  })

  test('of which a command is parked again ends the action: the rest is skipped, with the reason', async () => {
    const test = await createTestBus()
    const { pool, work } = test
    await parkMany(pool, 10)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 2 })
    const handlers = {
      Charge: () => {
        throw new PermanentCommandError('STILL_DECLINED', 'no')
      },
    }
    await work({ domain: 'payments', handlers })
    await actions.runOne(actionId)
    const view = (await actions.get(actionId, { items: {} })) as View
    expect(view).toMatchObject({ status: 'CANARY_FAILED', total: 10, succeeded: 2, skipped: 8, failed: 0 })
    expect(view.note).toMatch(/^the canary failed: command .* is IN_TROUBLESHOOTING_QUEUE .*\(STILL_DECLINED\)$/)
    expect(view.items?.items.slice(2).map(item => [item.outcome, item.message])).toEqual(
      Array.from({ length: 8 }, () => ['SKIPPED', view.note]),
    )
    expect((await tracesOf(pool)).audit).toEqual({ OPERATOR_RETRY: onceEach(2) })
  })

  test.each([
    ['canceled by its sender', 'CANCELED'],
    ['parked again, although an operator has completed it since', 'IN_TROUBLESHOOTING_QUEUE'],
  ])('that is %s ends the action', async (_, status) => {
    const test = await createTestBus()
    const { bus, pool, work } = test
    const [id = ''] = await parkMany(pool, 1, { at: '2026-01-02T00:00:00Z' })
    await parkMany(pool, 2)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 1 })
    const stopper = new AbortController()
    await actions.runOne(actionId, {
      signal: stopper.signal,
      onProgress: view => view.succeeded === 1 && stopper.abort(),
    })
    if (status === 'CANCELED') await bus.cancel('payments', id)
    else {
      const worker = await work({ domain: 'payments', handlers: {} })
      await test.until(
        () => bus.getCommand('payments', id),
        command => command?.status === 'IN_TROUBLESHOOTING_QUEUE',
      )
      await worker.stop()
      await bus.troubleshooting.complete('payments', id, { operator: 'joe' })
    }
    expect(await actions.runOne(actionId)).toMatchObject({
      status: 'CANARY_FAILED',
      skipped: 2,
      note: expect.stringContaining(`command ${id} is ${status}`),
    })
  })

  test('is waited for by another process when the first one has ended', async () => {
    const test = await createTestBus()
    const { pool, work } = test
    await parkMany(pool, 5)
    const first = createTestActions(pool)
    const runner = running(first)
    const { actionId } = await first.start({ ...jane, action: 'retry', filter: {}, canary: 2 })
    await viewUntil(test, first, actionId, isWaiting)
    await runner.stop()
    await work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    await test.until(
      () => tracesOf(pool),
      ({ rows }) => rows.COMPLETED === 2,
    )
    expect(await first.get(actionId)).toMatchObject({ status: 'WAITING_FOR_CANARY' })
    expect(await createTestActions(pool).runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 5 })
  })

  test('takes the next command for one that cannot be retried', async () => {
    const test = await createTestBus()
    const { pool } = test
    const [a = '', b = '', c = ''] = await parkMany(pool, 3)
    const actions = createTestActions(pool)
    const ids = [randomUUID(), a, b, c].map(commandId => ({ domain: 'payments', commandId }))
    const { actionId } = await actions.start({ ...jane, action: 'retry', ids, canary: 2 })
    const runner = running(actions)
    await viewUntil(test, actions, actionId, isWaiting)
    await runner.stop()
    expect((await actions.get(actionId, { items: {} }))?.items?.items.map(item => item.outcome)).toEqual([
      'FAILED',
      'SUCCEEDED',
      'SUCCEEDED',
      null,
    ])
  })

  test('that is larger than the selection takes all of it, and waits for those commands', async () => {
    const test = await createTestBus()
    const { pool, work } = test
    await parkMany(pool, 2)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 5 })
    const runner = running(actions)
    await viewUntil(test, actions, actionId, view => view.succeeded === 2)
    expect(await actions.get(actionId)).toMatchObject({ status: 'WAITING_FOR_CANARY' })
    await work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    expect(await viewUntil(test, actions, actionId, isOver)).toMatchObject({ status: 'COMPLETED', succeeded: 2 })
    await runner.stop()
  })

  test('that never ends can be stopped', async () => {
    const test = await createTestBus()
    const { pool } = test
    await parkMany(pool, 5)
    const actions = createTestActions(pool)
    const runner = running(actions)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 2 })
    await viewUntil(test, actions, actionId, isWaiting)
    const stopped = await actions.stop(actionId, { operator: 'joe' })
    await runner.stop()
    expect(stopped).toMatchObject({ status: 'STOPPED', succeeded: 2, skipped: 3, note: 'stopped by joe' })
    expect(await actions.stop(actionId, { operator: 'jane' })).toEqual(stopped)
    await expect(actions.stop(randomUUID(), { operator: 'joe' })).rejects.toMatchObject({ code: 'ACTION_NOT_FOUND' })
  })
})

describe('an action that is stopped', () => {
  test('while it runs keeps what is done and leaves the rest parked; of two operators who stop it, one is recorded', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 2500)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const stops: Promise<unknown>[] = []
    const ended = await actions.runOne(actionId, {
      onProgress: ({ succeeded }) => {
        if (succeeded === 0 || stops.length > 0) return
        for (const operator of ['joe', 'ann']) stops.push(actions.stop(actionId, { operator }))
      },
    })
    const [first, second] = await Promise.all(stops)
    expect(first).toEqual(second)
    expect(first).toEqual(ended)
    expect(ended).toMatchObject({ status: 'STOPPED', failed: 0, note: expect.stringMatching(/^stopped by (joe|ann)$/) })
    expect(ended.succeeded + ended.skipped).toBe(2500)
    expect(ended.skipped).toBeGreaterThan(0)
    expect(await tracesOf(pool)).toMatchObject({
      audit: { OPERATOR_RETRY: onceEach(ended.succeeded) },
      rows: { PENDING: ended.succeeded, IN_TROUBLESHOOTING_QUEUE: ended.skipped },
    })
    // what was left can be taken up by another action
    const rest = await actions.start({ ...jane, action: 'retry', filter: {} })
    expect(rest.total).toBe(ended.skipped)
  })
})
