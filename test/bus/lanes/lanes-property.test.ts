import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import type { Delivery } from '../../../src/application/ports/queue.ts'
import type { CommandIntent, Send } from '../../../src/domain/command/intents.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { defaultRetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import { admitLanes } from '../../../src/infrastructure/postgres/queue/lanes.ts'
import { createPgmqQueue } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { eventIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { setLane } from '../../support/flow/lanes.ts'
import { createCommandStore } from '../../support/lives/command-store.ts'

const QUEUE = 'jobs__commands'
const LANES = ['a', 'b']

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** What one step does; `pick` chooses among what is there. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      lane: fc.constantFrom(...LANES),
      count: fc.nat(3),
      later: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('succeed' as const, 'fail' as const, 'park' as const), pick: fc.nat() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('retry' as const, 'cancelParked' as const, 'cancel' as const),
      pick: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      lane: fc.constantFrom(...LANES),
      width: fc.integer({ min: 1, max: 3 }),
      onPark: fc.constantFrom('hold' as const, 'pass' as const),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

interface Held extends Delivery {
  readonly commandId: string
}

/** One lane system on a clean database, and what a test may do to it. */
const createWorld = async () => {
  const { pool } = database
  const store = createCommandStore(pool)
  const transact = createTransactCommands(store, eventIds)
  const queue = createPgmqQueue(pool, createQueueCatalog(pool))
  await queue.ensure(QUEUE)
  await pool.query(
    `truncate command_bus_lane_entry, command_bus_lane, command_bus_lane_check, command_bus_command, pgmq.q_${QUEUE}`,
  )
  const held: Held[] = []
  const begun: { readonly lane: string; readonly commandId: string }[] = []
  const sent: { readonly lane: string; readonly commandId: string }[] = []
  const by = () => ({ at: new Date().toISOString(), actor: 'tester' })
  const turn = (commandId: string, intents: readonly CommandIntent[]) =>
    transact([{ stream: commandStream({ domain: 'jobs', commandId }), intents }])
  const ids = async (status: string): Promise<readonly string[]> =>
    (
      await pool.query('select command_id from command_bus_command where status = $1 order by created_at, command_id', [
        status,
      ])
    ).rows.map(row => row.command_id)
  const oneOf = <A>(all: readonly A[], pick: number): A | undefined => all[pick % Math.max(1, all.length)]

  const act = async (one: Step): Promise<void> => {
    switch (one.do) {
      case 'send': {
        const commands = Array.from({ length: one.count + 1 }, () => randomUUID())
        const intent: Send = {
          ...by(),
          type: 'Send',
          commandType: 'Do',
          data: null,
          correlationId: 'c',
          causationId: null,
          replyTo: null,
          tenantId: null,
          ownerId: null,
          parentCommandId: null,
          retryCount: 0,
          policy: { ...defaultRetryPolicy, maxAttempts: 100, backoffSeconds: [0] },
          lane: one.lane,
          ...(one.later ? { runAt: new Date(Date.now() + 5).toISOString() } : {}),
        }
        await transact(
          commands.map(commandId => ({
            stream: commandStream({ domain: 'jobs', commandId }),
            intents: [intent],
          })),
        )
        if (!one.later) sent.push(...commands.map(commandId => ({ lane: one.lane, commandId })))
        return
      }
      case 'read': {
        const read = await queue.read(QUEUE, one.count, 600_000)
        const { rows } = await pool.query(
          'select command_id, msg_id from command_bus_command where msg_id = any ($1)',
          [read.map(({ msgId }) => msgId)],
        )
        const owners = new Map(rows.map(row => [row.msg_id, row.command_id]))
        const messages = read.map(delivery => ({ ...delivery, commandId: owners.get(delivery.msgId) as string }))
        const mayBegin = await queue.begin(QUEUE, messages)
        for (const message of messages.filter(({ msgId }) => mayBegin.has(msgId))) {
          const [received] = await turn(message.commandId, [
            { ...by(), type: 'Receive', msgId: message.msgId, delivery: message.delivery, leaseExpiresAt: by().at },
          ])
          if (received?.outcome !== 'done') continue
          held.push(message)
          begun.push({
            lane: received.now.state.status === 'NONE' ? '' : (received.now.state.sent.lane ?? ''),
            commandId: message.commandId,
          })
        }
        return
      }
      case 'succeed':
      case 'fail':
      case 'park': {
        const message = oneOf(held, one.pick)
        if (message === undefined) return
        held.splice(held.indexOf(message), 1)
        const attempt = (await store.readStream(commandStream({ domain: 'jobs', commandId: message.commandId })))
          .flatMap(({ event }) => (event.type === 'CommandReceived' ? [event.attempt] : []))
          .at(-1) as number
        const type = one.do === 'fail' ? 'TRANSIENT' : 'PERMANENT'
        await turn(message.commandId, [
          one.do === 'succeed'
            ? { ...by(), type: 'ReportSuccess', attempt, result: null }
            : { ...by(), type: 'ReportFailure', attempt, error: { type, code: 'E', message: 'e' }, random: 0 },
        ])
        return
      }
      case 'retry':
      case 'cancelParked': {
        const parked = oneOf(await ids('IN_TROUBLESHOOTING_QUEUE'), one.pick)
        if (parked === undefined) return
        await turn(parked, [
          one.do === 'retry'
            ? { ...by(), type: 'OperatorRetry', resetAttempts: true }
            : { ...by(), type: 'OperatorCancel', reason: 'r' },
        ])
        return
      }
      case 'cancel': {
        const pending = oneOf(await ids('PENDING'), one.pick)
        if (pending !== undefined) await turn(pending, [{ ...by(), type: 'Cancel', reason: null }])
        return
      }
      case 'set':
        await setLane(pool, 'jobs', one.lane, one)
    }
  }

  const lanes = async () =>
    (
      await pool.query(`
        select e.lane, r.width, count(*) filter (where e.state in ('admitted', 'parked'))::int as taken,
          count(*) filter (where e.state = 'waiting')::int as waiting
        from command_bus_lane_entry e cross join lateral command_bus_lane_rule(e.domain, e.lane, null) r
        group by e.lane, r.width`)
    ).rows as readonly {
      readonly lane: string
      readonly width: number
      readonly taken: number
      readonly waiting: number
    }[]

  /** Messages whose visibility contradicts the state of their command in its lane. */
  const strange = async () =>
    (
      await pool.query(`
        select e.state, q.vt from command_bus_lane_entry e left join pgmq.q_${QUEUE} q on q.msg_id = e.msg_id
        where case e.state when 'waiting' then q.vt is distinct from command_bus_hidden() when 'admitted' then q.vt is null or q.vt = command_bus_hidden()
          when 'scheduled' then q.vt is null else q.vt is not null end`)
    ).rows

  return { act, lanes, strange, begun, sent, held, pool }
}

test('F5: no lane has more than its width, nobody waits where there is room, and places are kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 5, maxLength: 25 }),
      async groups => {
        const world = await createWorld()
        let before = new Map<string, number>()
        for (const group of groups) {
          await Promise.all(group.map(world.act))
          // as a worker does that finds nothing to read: settings that changed while a lane was locked
          await admitLanes(world.pool, 'jobs')
          const lanes = await world.lanes()
          for (const { lane, width, taken, waiting } of lanes) {
            // a width that became smaller takes nobody back
            expect(taken, lane).toBeLessThanOrEqual(
              Math.max(width, before.get(lane) ?? 0, group.some(one => one.do === 'set') ? 3 : 0),
            )
            if (waiting > 0) expect(taken, lane).toBeGreaterThanOrEqual(width)
          }
          before = new Map(lanes.map(({ lane, taken }) => [lane, taken]))
          expect(await world.strange()).toEqual([])
        }
        // all that is left runs to its end, at width 1 in the order of places
        for (const lane of LANES) await setLane(world.pool, 'jobs', lane, {})
        const { rows: rest } = await world.pool.query(
          `select e.lane, e.command_id, e.state from command_bus_lane_entry e where e.state in ('waiting') order by e.place`,
        )
        world.begun.length = 0
        for (let i = 0; i < 500 && (await world.lanes()).length > 0; i++) {
          await world.act({ do: 'read', count: 4 })
          while (world.held.length > 0) await world.act({ do: 'succeed', pick: 0 })
          await world.act({ do: 'retry', pick: 0 })
        }
        expect(await world.lanes()).toEqual([])
        for (const lane of LANES) {
          const waited = rest.filter(row => row.lane === lane).map(row => row.command_id)
          const ran = world.begun.filter(one => one.lane === lane).map(({ commandId }) => commandId)
          expect(ran.filter(id => waited.includes(id))).toEqual(waited)
        }
      },
    ),
    { numRuns: Number(process.env.LANES_RUNS ?? 8) },
  )
}, 600_000)
