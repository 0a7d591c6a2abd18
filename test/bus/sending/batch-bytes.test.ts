import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { BatchFailedError, CommandBusError } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal, type TestBus } from '../../support/bus.ts'

const large = (characters: number) => (_: unknown, i: number) => ({
  commandType: 'Charge',
  commandId: randomUUID(),
  data: { i, text: 'x'.repeat(characters) },
})

const MIB = 1_048_576

/** The most bytes of events that were written in one transaction. */
const largestStatement = async ({ pool }: TestBus): Promise<number> => {
  const { rows } = await pool.query(
    `select max(bytes)::int as most from (
       select sum(octet_length(data::text)) as bytes from command_bus_event group by xid) x`,
  )
  return rows[0].most
}

/** Makes the database refuse each statement that writes a command of this type. */
const refuse = async ({ pool }: TestBus, commandType: string): Promise<void> => {
  await pool.query(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.data->>'commandType' = '${commandType}' then raise exception 'refused: %', new.data using errcode = 'P0001'; end if;
      return new;
    end $$;
    create trigger refuse before insert on command_bus_event for each row execute function refuse();`)
}

const failureOf = async (sending: Promise<unknown>): Promise<BatchFailedError> => {
  const error = await sending.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(BatchFailedError)
  return error as BatchFailedError
}

describe('a batch that is too large for one statement', () => {
  test('R12: 400 commands of 140 kB are sent, each once', async () => {
    const { bus, pool } = await createTestBus()
    const results = await bus.sendBatch('payments', Array.from({ length: 400 }, large(140_000)))
    expect(results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(400)
    const { rows } = await pool.query(
      `select count(*)::int as messages, min(length(message->'data'->>'text'))::int as shortest from pgmq.q_payments__commands`,
    )
    expect(rows[0]).toEqual({ messages: 400, shortest: 140_000 })
  })

  test.skipIf(logIsSeparate)(
    'R12: sends of a megabyte each at the same moment share statements of at most 8 MiB',
    async () => {
      const t = await createTestBus()
      const text = 'x'.repeat(1_000_000)
      await Promise.all(Array.from({ length: 30 }, (_, i) => t.bus.send('payments', 'Charge', { i, text })))
      expect((await t.pool.query('select from pgmq.q_payments__commands')).rowCount).toBe(30)
      expect(await largestStatement(t)).toBeLessThan(9 * MIB)
    },
  )
})

// with the log in EventStoreDB, no trigger of the database can refuse it
describe.skipIf(logIsSeparate)('a batch that fails', () => {
  const batchOf = () => {
    const commands = Array.from({ length: 15 }, large(1_000_000))
    const refused = { commandType: 'Refused', commandId: randomUUID(), data: 'a secret' }
    return { commands: [...commands, refused, ...Array.from({ length: 15 }, large(1_000_000))], refused }
  }

  test('R12: says of each command whether it was sent, was there already, or was not sent', async () => {
    const t = await createTestBus()
    const { commands, refused } = batchOf()
    const before = await t.bus.send('payments', 'Charge', {}, { commandId: commands[0]?.commandId as string })
    await refuse(t, 'Refused')
    const error = await failureOf(t.bus.sendBatch('payments', commands))

    expect(error).toBeInstanceOf(CommandBusError)
    expect([error.code, error.name]).toEqual(['BATCH_FAILED', 'BatchFailedError'])
    expect(error.results.map(({ commandId }) => commandId)).toEqual(commands.map(({ commandId }) => commandId))
    const { rows } = await t.pool.query('select command_id, msg_id::text from command_bus_command')
    const stored = new Map(rows.map(row => [row.command_id, row.msg_id]))
    for (const { commandId, outcome, msgId } of error.results) {
      const expected =
        commandId === before.commandId
          ? ['duplicate', null]
          : stored.has(commandId)
            ? ['accepted', stored.get(commandId)]
            : ['unsent', null]
      expect([outcome, msgId]).toEqual(expected)
    }
    const count = (outcome: string) => error.results.filter(result => result.outcome === outcome).length
    expect(count('duplicate')).toBe(1)
    expect(count('accepted')).toBeGreaterThan(0)
    expect(count('accepted')).toBe(stored.size - 1)
    expect(error.results.find(({ commandId }) => commandId === refused.commandId)?.outcome).toBe('unsent')
    // the database's message may contain payloads, so it is only in the cause
    expect(error.message).not.toContain('a secret')
    expect(error.message).toMatch(/^\d+ of 31 commands were accepted before the batch failed/)
    expect(String((error.cause as Error).message)).toContain('refused')
    expect(JSON.stringify(error)).not.toContain(refused.commandId)

    await t.pool.query('drop trigger refuse on command_bus_event')
    const again = await t.bus.sendBatch('payments', commands)
    expect(again.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(stored.size)
    expect((await t.pool.query('select from pgmq.q_payments__commands')).rowCount).toBe(commands.length)
  })

  test('R12: after a broken connection it is unknown whether the commands under way were stored', async () => {
    const t = await createTestBus()
    await t.bus.send('payments', 'Charge', {})
    // the server is gone each time the statement is repeated
    await t.pool.query(`
      create function break_off() returns trigger language plpgsql as $$
      begin
        if new.data->>'commandType' = 'Broken' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); end if;
        return new;
      end $$;
      create trigger break_off before insert on command_bus_event for each row execute function break_off();`)
    const error = await failureOf(
      t.bus.sendBatch('payments', [
        ...Array.from({ length: 1_000 }, () => ({ commandType: 'Charge', data: {} })),
        { commandType: 'Broken', data: {} },
      ]),
    )
    expect(error.message).toMatch(/database/)
    expect(error.results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1_000)
    expect(error.results[1_000]).toMatchObject({ outcome: 'unknown', msgId: null })
  })

  test("R12: in the caller's transaction nothing of it is sent, because the caller rolls back", async () => {
    const t = await createTestBus()
    const { commands } = batchOf()
    await t.bus.ready()
    await refuse(t, 'Refused')
    const client = await t.pool.connect()
    await client.query('begin')
    const error = await failureOf(t.bus.sendBatch('payments', commands, { client }))
    await client.query('rollback')
    client.release()
    expect(new Set(error.results.map(({ outcome }) => outcome))).toEqual(new Set(['unsent']))
    expect(error.message).toMatch(/roll/)
    expect((await t.pool.query('select from command_bus_event')).rowCount).toBe(0)
  })
})

test.skipIf(logIsSeparate)(
  'R12: large results of handlers that end at the same moment are split into statements of 8 MiB',
  async () => {
    const t = await createTestBus()
    const commands = Array.from({ length: 20 }, () => ({ commandType: 'Charge', data: {}, replyTo: 'replies' }))
    await t.bus.sendBatch('payments', commands)
    const result = 'x'.repeat(1_000_000)
    const allAreHere = signal()
    let here = 0
    const Charge = async () => {
      if (++here === commands.length) allAreHere.resolve()
      await allAreHere.promise
      return result
    }
    await t.work({ domain: 'payments', concurrency: commands.length, handlers: { Charge } })
    await t.until(
      async () => (await t.pool.query(`select from command_bus_command where status = 'COMPLETED'`)).rowCount,
      done => done === commands.length,
    )
    expect((await t.messages('replies')).map(({ message }) => (message.data as string).length)).toEqual(
      commands.map(() => result.length),
    )
    expect(await largestStatement(t)).toBeLessThan(9 * MIB)
  },
)
