import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import {
  BusinessRuleError,
  CommandNotFoundError,
  defineHandler,
  type Handler,
  type HandlerContext,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
  PermanentCommandError,
  type RehearseOptions,
  TransientCommandError,
} from '../../../src/index.ts'
import { beginRehearsal, undo } from '../../../src/infrastructure/rehearsal/transaction.ts'
import { createTestBus, type TestBus, until } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { parked } from '../../support/park.ts'

const ID = '00000000-0000-4000-8000-000000000077'

/** A user's table and a parked command. */
const scene = async () => {
  const setup = await createTestBus()
  await setup.pool.query(`create table ledger (entry text unique deferrable initially deferred)`)
  const id = await parked(setup, 'payments', { amount: 5 }, { maxAttempts: 2, replyTo: 'shop__replies' })
  return { ...setup, id }
}
type Scene = TestBus & { readonly id: string }

/** Rehearses with a handler, and checks that nothing has changed. */
const rehearse = async ({ another, pool, id }: Scene, handler: Handler, options: RehearseOptions = {}) => {
  const bus = another({ handlers: { payments: { Charge: handler } } })
  const before = await fingerprint(pool)
  expect(Object.keys(before)).toEqual(
    expect.arrayContaining(['public.command_bus_event', 'public.command_bus_command', 'pgmq.a_payments__commands']),
  )
  try {
    return await bus.troubleshooting.rehearse('payments', id, options)
  } finally {
    expect(await fingerprint(pool)).toEqual(before)
    // a connection that has ended is listed for a moment longer
    const connections = () =>
      pool.query(
        `select 1 from pg_stat_activity
         where application_name like 'commandbus rehearsal%' and datname = current_database()`,
      )
    await until(connections, ({ rows }) => rows.length === 0)
  }
}

const write = ({ client }: HandlerContext<unknown>, entry = 'x') =>
  client.query('insert into ledger values ($1)', [entry])
const inTransaction = (handle: (context: HandlerContext) => unknown): Handler => ({
  transactional: true,
  rehearsable: true,
  handle: ((_: unknown, context: HandlerContext) => handle(context)) as never,
})

describe('a rehearsal changes nothing', () => {
  test('when the handler succeeds: it shows the result, and the status after a retry', async () => {
    const told: unknown[] = []
    const rehearsal = await rehearse(
      await scene(),
      inTransaction(async context => {
        told.push(context.rehearsal, context.command.data, context.attempt, context.maxAttempts, context.totalAttempts)
        await write(context)
        return { written: (await context.client.query('select count(*)::int from ledger')).rows[0].count }
      }),
    )
    expect(rehearsal).toMatchObject({ outcome: 'SUCCESS', result: { written: 1 }, error: null, wouldBe: 'COMPLETED' })
    expect(rehearsal.rolledBack).toBe(true)
    expect(rehearsal.durationMs).toBeGreaterThanOrEqual(0)
    expect(told).toEqual([true, { amount: 5 }, 1, 2, 2])
  })

  test.each([
    [new PermanentCommandError('CLOSED', 'it is closed'), 'PERMANENT', 'IN_TROUBLESHOOTING_QUEUE', 'CLOSED'],
    [new TransientCommandError('BUSY', 'it is busy'), 'TRANSIENT', 'PENDING', 'BUSY'],
    [new BusinessRuleError('LIMIT', 'too much'), 'BUSINESS_RULE', 'FAILED', 'LIMIT'],
    [new RangeError('odd, token=sk-1234567890'), 'TRANSIENT', 'PENDING', 'RangeError'],
  ])('when the handler throws %s', async (error, outcome, wouldBe, code) => {
    const handler = inTransaction(async context => {
      await write(context)
      throw error
    })
    const rehearsal = await rehearse(await scene(), handler)
    expect(rehearsal).toMatchObject({ outcome, wouldBe, error: { code }, result: null })
    expect(JSON.stringify(rehearsal)).not.toContain('sk-1234567890')
  })

  test.each(['commit', 'COMMIT; insert into ledger values (2)', 'end', 'rollback', '/* so */ commit and chain'])(
    'when the handler executes %s and swallows the refusal',
    async sql => {
      const handler = inTransaction(async context => {
        await write(context)
        await context.client.query(sql).catch(() => {})
        await new Promise(done => context.client.query({ text: sql }, done as never))
        await write(context, 'y')
      })
      expect(await rehearse(await scene(), handler)).toMatchObject({
        outcome: 'PERMANENT',
        error: { code: 'TRANSACTION_ENDED' },
      })
    },
  )

  test('when the handler swallows the errors of its statements: the commit would have failed', async () => {
    const handler = inTransaction(async context => {
      await write(context)
      await context.client.query('select 1 / 0').catch(() => {})
      return 'fine'
    })
    const rehearsal = await rehearse(await scene(), handler)
    expect(rehearsal).toMatchObject({ outcome: 'TRANSIENT', error: { code: 'TRANSACTION_FAILED' }, wouldBe: 'PENDING' })
  })

  test('when a deferred constraint would fail at the commit', async () => {
    const handler = inTransaction(async context => {
      await write(context, 'same')
      await write(context, 'same')
    })
    expect(await rehearse(await scene(), handler)).toMatchObject({
      outcome: 'TRANSIENT',
      error: { code: 'TRANSACTION_FAILED', message: expect.stringContaining('ledger_entry_key') },
    })
  })

  test.each([
    ['waits in the database', (context: HandlerContext) => context.client.query('select pg_sleep(60)')],
    ['never comes back', () => new Promise(() => {})],
  ])(
    'when the handler %s past its deadline: its signal is aborted, and its transaction is rolled back',
    async (_, wait) => {
      let stopped = false
      const handler = inTransaction(async context => {
        context.signal.addEventListener('abort', () => {
          stopped = true
        })
        await write(context)
        await wait(context)
      })
      const rehearsal = await rehearse(await scene(), handler, { timeoutMs: 200 })
      expect(rehearsal).toMatchObject({ outcome: 'TIMEOUT', error: { code: 'REHEARSAL_TIMEOUT' }, wouldBe: null })
      expect(stopped).toBe(true)
    },
  )

  test('when the handler sends commands and replies in its transaction', async () => {
    const setup = await scene()
    await setup.bus.send('mail', 'Tell', {})
    const handler = inTransaction(async ({ client }) => {
      await setup.bus.send('mail', 'Tell', {}, { client })
    })
    expect(await rehearse(setup, handler)).toMatchObject({ outcome: 'SUCCESS' })
  })
})

describe('a rehearsal is refused for', () => {
  test('a handler that may have effects outside the database, also a transactional one, unless it allows rehearsals', async () => {
    const setup = await scene()
    let runs = 0
    const handle = () => {
      runs++
    }
    await expect(rehearse(setup, handle)).rejects.toThrow(/may reach outside the database.*rehearsable: true/)
    await expect(rehearse(setup, { handle })).rejects.toThrow(InvalidOperationError)
    await expect(rehearse(setup, { handle, transactional: true, rehearsable: false })).rejects.toThrow(/rehearsable/)
    await expect(rehearse(setup, { handle, transactional: true })).rejects.toThrow(/rehearsable: true/)
    expect(runs).toBe(0)
    expect(await rehearse(setup, { handle, rehearsable: true })).toMatchObject({ outcome: 'SUCCESS', result: null })
    expect(runs).toBe(1)
  })

  test('a domain without handlers here; a type without a handler would be parked', async () => {
    const setup = await scene()
    const elsewhere = setup.another({ handlers: { other: {} } })
    await expect(elsewhere.troubleshooting.rehearse('payments', setup.id)).rejects.toThrow(
      /no handler of domain 'payments'/,
    )
    expect(await elsewhere.troubleshooting.rehearsable()).toEqual(['other'])
    elsewhere.worker({ domain: 'billing', handlers: { '*': () => null } })
    expect(await elsewhere.troubleshooting.rehearsable()).toEqual(['billing', 'other'])
    const types = setup.another({ handlers: { payments: { Refund: { rehearsable: true, handle: () => 1 } } } })
    expect(await types.troubleshooting.rehearse('payments', setup.id)).toMatchObject({
      outcome: 'NO_HANDLER',
      wouldBe: 'IN_TROUBLESHOOTING_QUEUE',
    })
  })

  test('a command that is not parked, not known, or of another tenant', async () => {
    const setup = await scene()
    const bus = setup.another({ handlers: { payments: { '*': { rehearsable: true, handle: () => 1 } } } })
    const { commandId } = await bus.send('payments', 'Charge', {})
    await expect(bus.troubleshooting.rehearse('payments', commandId)).rejects.toThrow(/PENDING, not in troubleshooting/)
    await expect(bus.troubleshooting.rehearse('payments', ID)).rejects.toThrow(CommandNotFoundError)
    await expect(bus.troubleshooting.rehearse('payments', setup.id, { tenantId: 't1' })).rejects.toThrow(
      CommandNotFoundError,
    )
    for (const timeoutMs of [0, 1.5, 60_001, '5' as never]) {
      await expect(bus.troubleshooting.rehearse('payments', setup.id, { timeoutMs })).rejects.toThrow(InvalidInputError)
    }
  })
})

test('an edited payload is rehearsed in place of the parked one, if its codec accepts it', async () => {
  const setup = await scene()
  const handler = defineHandler({
    payload: t.type({ amount: t.number }),
    rehearsable: true,
    handle: ({ amount }) => ({ charged: amount }),
  })
  expect(await rehearse(setup, handler, { data: { amount: 7 } })).toMatchObject({ result: { charged: 7 } })
  const refused = rehearse(setup, handler, { data: { amount: 'seven' } })
  await expect(refused).rejects.toThrow(InvalidPayloadError)
  await expect(refused).rejects.toThrow('data.amount: expected number')
})

test('G5: a payload is refused with a few of its faults, however many it has', async () => {
  const handler = defineHandler({ payload: t.array(t.number), rehearsable: true, handle: () => null })
  const refused = rehearse(await scene(), handler, { data: Array(50_000).fill('x') })
  await expect(refused).rejects.toMatchObject({
    faults: Array.from({ length: 20 }, (_, i) => `data.${i}: expected number`),
  })
})

test("handlers of this bus's workers are known; the newest one for the type is rehearsed", async () => {
  const setup = await scene()
  setup.bus.worker({ domain: 'payments', handlers: { Charge: { rehearsable: true, handle: () => 'new' } } })
  expect(await setup.bus.troubleshooting.rehearse('payments', setup.id)).toMatchObject({ result: 'new' })
})

test('the database refuses the commit even if a handler gets around the client that it was given', async () => {
  const { pool } = await scene()
  const before = await fingerprint(pool)
  for (const trick of ['commit', 'set constraints all immediate', 'commit; insert into ledger values (1)']) {
    const client = await beginRehearsal(pool, ID, 5000)
    await client.query('insert into ledger values (0)')
    await expect(client.query(trick)).rejects.toThrow('a rehearsal is never committed')
    await client.query('rollback')
    await expect(client.query('insert into ledger values (1)')).rejects.toThrow('read-only transaction')
    await client.query('begin').then(() => client.query('rollback'))
    await undo(pool, ID)
    await client.end().catch(() => {})
  }
  expect(await fingerprint(pool)).toEqual(before)
})

test('G6: slow rehearsals of one tenant do not keep other tenants from theirs', async () => {
  const setup = await createTestBus()
  const parkedOf = (tenantId: string) => parked(setup, 'payments', { amount: 5 }, { tenantId })
  const [ofOne, ofTwo] = [await parkedOf('t1'), await parkedOf('t2')]
  const ends: (() => void)[] = []
  const handle = () => new Promise<void>(resolve => ends.push(resolve))
  const bus = setup.another({ handlers: { payments: { Charge: { rehearsable: true, handle } } } })
  const operatorOf = (tenant: string) => bus.as({ subject: 'olga', tenant, roles: ['OPERATOR'] }).troubleshooting
  const [one, two] = [operatorOf('t1'), operatorOf('t2')]
  const rehearseOne = () => one.rehearse('payments', ofOne, { timeoutMs: 60_000 })
  const slow = [rehearseOne(), rehearseOne(), rehearseOne()]
  await setup.until(
    async () => ends.length,
    count => count === 3,
  )
  await expect(rehearseOne()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('3 rehearsals are running'),
  })
  const other = two.rehearse('payments', ofTwo, { timeoutMs: 60_000 })
  await setup.until(
    async () => ends.length,
    count => count === 4,
  )
  for (const end of ends.splice(0)) end()
  expect((await Promise.all([...slow, other])).map(({ outcome }) => outcome)).toEqual(Array(4).fill('SUCCESS'))
  const again = rehearseOne()
  await setup.until(
    async () => ends.length,
    count => count === 1,
  )
  ends[0]?.()
  expect((await again).outcome).toBe('SUCCESS')
})
