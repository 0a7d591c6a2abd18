import { expect, test } from 'vitest'
import { nextPiece } from '../../../src/application/acting/next-piece.ts'
import { createActionStore } from '../../../src/infrastructure/postgres/bulk/action-store.ts'
import { createTestActions, parkMany } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'

const RATE = 100

/** An action at a rate, on a clock that goes on as it is moved and as the real one does. */
const createPaced = async (commands: number) => {
  const { pool } = await createTestBus()
  await parkMany(pool, commands)
  const { actionId } = await createTestActions(pool).start({
    operator: 'jane',
    action: 'retry',
    filter: {},
    ratePerSecond: RATE,
  })
  const store = createActionStore(pool)
  const clock = async (): Promise<number> => {
    const { rows } = await pool.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    )
    return (rows[0]?.ms ?? Number.NaN) + moved
  }
  let moved = 0
  const move = async (ms: number): Promise<void> => {
    moved += ms
    await pool.query(`update command_bus_action set tokens_at = tokens_at - $1 * interval '1 millisecond'`, [ms])
  }
  const sent: { readonly at: number; readonly count: number }[] = []
  /** Sends what may be sent, and otherwise moves the clock, until it is so late. */
  const run = async (until: number): Promise<void> => {
    while ((await clock()) < until) {
      const wait = await store.take(actionId, { wait: true }, async taken => {
        const piece = nextPiece(taken.action)
        if (piece.do !== 'send') return piece.do === 'wait' ? (piece.ms ?? 0) : 0
        const items = await taken.next(piece.most)
        await taken.mark(
          items.map(({ ordinal }) => ({ ordinal, outcome: 'SUCCEEDED', message: null })),
          new Date().toISOString(),
        )
        // the moment that its part of the rate was reckoned with
        sent.push({ at: Date.parse(taken.action.now) + moved, count: items.length })
        return 0
      })
      await move(wait ?? 0)
    }
  }
  const between = (from: number, to: number): number =>
    sent.reduce((sum, { at, count }) => (at > from && at <= to ? sum + count : sum), 0)
  /** The highest rate over a second or a little more, from one piece to another. */
  const fastest = (): number =>
    Math.max(
      ...sent.map(({ at: end }) => {
        const begin = sent.findLast(({ at }) => at <= end - 1_000)?.at ?? Number.NEGATIVE_INFINITY
        return (between(begin, end) * 1_000) / (end - begin)
      }),
    )
  return { begin: await clock(), clock, move, run, between, fastest }
}

test('O1: what a runner was late is caught up, by no more than 5 % of the rate', async () => {
  const { begin, clock, move, run, between, fastest } = await createPaced(4_000)
  const piece = RATE / 10
  await run(begin + 3_000)
  const stopped = await clock()
  const before = between(begin, stopped)
  expect(before).toBeGreaterThanOrEqual(0.95 * RATE * 3 - piece)
  // the runner stands still for 1.2 seconds
  await move(1_200)
  const again = await clock()
  await run(again + 25_000)
  const end = await clock()
  expect(between(begin, end)).toBeGreaterThanOrEqual((RATE * (end - begin)) / 1_000 - 4 * piece)
  expect(between(begin, end)).toBeLessThanOrEqual((RATE * (end - begin)) / 1_000 + piece)
  // also when it goes on after it stood still: a piece counts for the time since the one before
  expect(fastest()).toBeLessThanOrEqual(1.05 * RATE + 1)
})

test('O1: a stop of hours is not caught up', async () => {
  const { begin, clock, move, run, between } = await createPaced(400)
  await run(begin + 300)
  await move(8 * 3_600_000)
  const again = await clock()
  await run(again + 2_000)
  expect(between(again, again + 2_000)).toBeLessThanOrEqual(1.05 * 2.25 * RATE + RATE / 10)
})
