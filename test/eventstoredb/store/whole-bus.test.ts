import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  type CommandBus,
  createCommandBus,
  defineHandler,
  InvalidInputError,
  PermanentCommandError,
  TransientCommandError,
} from '../../../src/index.ts'
import { until } from '../../support/bus.ts'
import { createTestDatabase } from '../../support/database.ts'
import { closeAfterTest, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'

const jane = { operator: 'jane@example.com' }

const begin = async () => {
  const { double, database } = await openParts()
  const bus = createCommandBus({
    databaseUrl: database.url,
    eventStoreUrl: double.url,
    waitForDispatchMs: 60_000,
    eventStoreLimits: { probeMs: 50, standbyMs: 50, timeoutMs: 1_000 },
  })
  closeAfterTest(bus.close)
  return { double, pool: database.pool, bus }
}

/** Parks this many commands. */
const park = async (bus: CommandBus, count: number): Promise<void> => {
  const commands = Array.from({ length: count }, () => ({ commandType: 'Broken', data: {}, replyTo: 'replies' }))
  await bus.sendBatch('payments', commands)
  const handlers = {
    Broken: () => {
      throw new PermanentCommandError('NO', 'never')
    },
  }
  const worker = bus.worker({ domain: 'payments', handlers, concurrency: 50, pollMs: 50 })
  await worker.start()
  await until(
    async () => (await bus.troubleshooting.list({ limit: 1 })).total,
    total => total === count,
  )
  await worker.stop()
}

const retries = `select count(*)::int as all, count(distinct stream)::int as commands from command_bus_audit
                 where event_type = 'OPERATOR_RETRY'`
const messages = `select count(*)::int as all, count(distinct message->>'command_id')::int as commands
                  from pgmq.q_payments__commands`

test('a bulk action does each item once, also if its outcomes could not be recorded for a while', async () => {
  const { bus, pool } = await begin()
  await park(bus, 130)
  const { actionId, total } = await bus.actions.start({ ...jane, action: 'retry', filter: {} })
  expect(total).toBe(130)
  // the append is done, but its outcome is not recorded
  await pool.query(`create sequence tries;
    create function refuse() returns trigger language plpgsql as
      $$ begin if nextval('tries') <= 3 then raise exception 'not now'; end if; return new; end $$;
    create trigger refuse before update on command_bus_action for each row execute function refuse()`)
  const stop = new AbortController()
  const run = bus.actions.run(stop.signal)
  const done = await until(
    () => bus.actions.get(actionId),
    view => view?.status === 'COMPLETED',
  )
  stop.abort()
  await run
  expect(done).toMatchObject({ succeeded: 130, failed: 0, skipped: 0 })
  await until(
    async () => (await rowsOf(pool, retries))[0]?.all,
    all => all === 130,
  )
  expect(await rowsOf(pool, retries)).toEqual([{ all: 130, commands: 130 }])
  expect(await rowsOf(pool, messages)).toEqual([{ all: 130, commands: 130 }])
})

test('a bulk action does not change commands that somebody else has changed meanwhile', async () => {
  const { bus } = await begin()
  await park(bus, 3)
  const { actionId } = await bus.actions.start({ ...jane, action: 'cancel', filter: {}, reason: 'no' })
  const [first] = (await bus.troubleshooting.list()).items
  await bus.troubleshooting.retry('payments', first?.commandId ?? '', { operator: 'joe' })
  expect(await bus.actions.runOne(actionId)).toMatchObject({ succeeded: 2, skipped: 1, failed: 0 })
})

test('a transactional handler is refused, with what to do instead', async () => {
  const { bus } = await begin()
  const Charge = defineHandler({ transactional: true, handle: () => null })
  expect(() => bus.worker({ domain: 'payments', handlers: { Charge } })).toThrow(InvalidInputError)
  expect(() => bus.worker({ domain: 'payments', handlers: { Charge } })).toThrow(/idempotent by the command id/)
})

test('a send does not fail when its row is late', async () => {
  const { double, database } = await openParts()
  const holder = await database.pool.connect()
  await holder.query(`select pg_advisory_lock(hashtextextended('command_bus_projection commands', 0))`)
  const bus = createCommandBus({ databaseUrl: database.url, eventStoreUrl: double.url, waitForDispatchMs: 50 })
  closeAfterTest(bus.close)
  expect(await bus.send('payments', 'Charge', {})).toMatchObject({ status: 'PENDING', msgId: null })
  expect(await bus.sendBatch('payments', [{ commandType: 'Charge', data: {} }])).toMatchObject([
    { outcome: 'accepted', msgId: null },
  ])
  holder.release(true)
})

/** One command with each kind of history; their audit, without random values and times. */
const lives = async (bus: CommandBus) => {
  const ids = Array.from({ length: 5 }, () => randomUUID())
  const [fine, again, broken, canceled, rule] = ids as [string, string, string, string, string]
  const options = { replyTo: 'replies', backoffSeconds: [0] }
  await bus.send('payments', 'Fine', { n: 1 }, { ...options, commandId: fine })
  await bus.send('payments', 'Again', { n: 2 }, { ...options, commandId: again })
  await bus.send('payments', 'Broken', { n: 3 }, { ...options, commandId: broken })
  await bus.send('payments', 'Fine', { n: 4 }, { ...options, commandId: canceled })
  await bus.cancel('payments', canceled, { actor: 'shop', reason: 'twice' })
  await bus.send('payments', 'Nobody', { n: 5 }, { ...options, commandId: rule })
  const handlers = {
    Fine: () => 'paid',
    Again: (_: unknown, { attempt }: { readonly attempt: number }) => {
      if (attempt < 2) throw new TransientCommandError('LATER', 'not yet')
      return attempt
    },
    Broken: () => {
      throw new PermanentCommandError('NO', 'never')
    },
  }
  const worker = bus.worker({ domain: 'payments', handlers, workerId: 'w', pollMs: 20 })
  await worker.start()
  const statusOf = async (id: string) => (await bus.getCommand('payments', id))?.status
  for (const id of [fine, again])
    await until(
      () => statusOf(id),
      status => status === 'COMPLETED',
    )
  for (const id of [broken, rule])
    await until(
      () => statusOf(id),
      status => status === 'IN_TROUBLESHOOTING_QUEUE',
    )
  await worker.stop()
  await bus.troubleshooting.complete('payments', broken, { ...jane, resultData: 'by hand' })
  await bus.troubleshooting.cancel('payments', rule, { ...jane, reason: 'no' })
  const audits = await Promise.all(ids.map(id => bus.getAuditTrail('payments', id)))
  return audits.map(audit =>
    audit.map(({ eventType, actor, revision, details }) => {
      const {
        correlation_id: _,
        lease_expires_at: __,
        retry_at: ___,
        msg_id: ____,
        ...rest
      } = details as object & {
        readonly [name: string]: unknown
      }
      return { eventType, actor, revision, details: rest }
    }),
  )
}

test('the audit is the same on both stores; a rebuild of the rows sends nothing and changes nothing', async () => {
  const here = await createTestDatabase()
  closeAfterTest(() => here.drop())
  const onPostgres = createCommandBus({ databaseUrl: here.url })
  closeAfterTest(onPostgres.close)
  const { bus, pool } = await begin()
  expect(await lives(bus)).toEqual(await lives(onPostgres))

  const queues = `select 'queue' as at, msg_id, message from pgmq.q_payments__commands
                  union all select 'archive', msg_id, message from pgmq.a_payments__commands
                  union all select 'reply', msg_id, message from pgmq.q_replies order by at, msg_id`
  const rows = 'select to_jsonb(c) as row from command_bus_command c order by command_id'
  const before = [await rowsOf(pool, queues), await rowsOf(pool, rows)]
  expect(await bus.maintenance.rebuild()).toMatchObject({ commands: 5 })
  expect([await rowsOf(pool, queues), await rowsOf(pool, rows)]).toEqual(before)
  expect(await bus.maintenance.verify()).toEqual([])
})

test('a started operation is returned, also if its row is late', async () => {
  const { double, database } = await openParts()
  const bus = createCommandBus({ databaseUrl: database.url, eventStoreUrl: double.url, waitForDispatchMs: 1 })
  closeAfterTest(bus.close)
  const holder = await database.pool.connect()
  await holder.query(`select pg_advisory_lock(hashtextextended('command_bus_projection commands', 0))`)
  const ada = { subject: 'ada', tenant: 'acme' }
  const asked = { operation_type: 'question_generation', session_id: 's-1', parameters: { topic: 'x' } }
  const started = await bus.operations.start(ada, asked)
  expect(started).toMatchObject({
    operation_type: 'question_generation',
    status: 'pending',
    session_id: 's-1',
    message_id: null,
    parent_operation_id: null,
    retry_count: 0,
  })
  holder.release(true)
  const found = await until(
    () => bus.operations.get(ada, started.id).catch(() => null),
    operation => operation !== null,
  )
  expect(found).toEqual({ ...started, created_at: found?.created_at, updated_at: found?.updated_at })
})
