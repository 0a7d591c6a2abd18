import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EventDecodeError } from '../../../src/application/ports/event-store.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { createPostgresEventFeed } from '../../../src/infrastructure/postgres/log/event-feed.ts'
import { newStream, outcomes, write } from '../../../src/testing/ports/contract-kit.ts'
import { until } from '../../support/bus.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createCommandStore, sending } from '../../support/lives/command-store.ts'
import { openNotedStore } from '../../support/noted.ts'

describe('the log refuses every change', () => {
  test.each([
    'update command_bus_event set type = $$x$$',
    'delete from command_bus_event',
    'truncate command_bus_event',
  ])('%s', async statement => {
    const { store, database, close } = await openNotedStore()
    const stream = newStream()
    await store.append([write(stream, 'none')])
    const before = await store.readStream(stream)
    await expect(database.pool.query(statement)).rejects.toThrow(/append-only: (UPDATE|DELETE|TRUNCATE) .* refused/)
    await expect(database.pool.query(`${statement.replace('$$x$$', 'type')}`)).rejects.toThrow(/append-only/)
    expect(await store.readStream(stream)).toEqual(before)
    await close()
  })
})

describe('an event that cannot be read', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  const secret = 'sk-very-secret'
  const sent = sending('payments').events[0]
  if (sent === undefined) throw new Error('no event')
  const good = commandCodec.encode(sent.event, sent.context)
  const error = { type: 'TRANSIENT', code: 'DOWN', message: secret }
  const failed = { attempt: 1, msgId: '1', error, retryAt: '2026-01-02T03:04:05.678Z' }

  /** Another program than the bus's store has written to the log. */
  const damaged = async (type: string, data: object, meta: object): Promise<string> => {
    const append = sending('payments')
    await createCommandStore(database.pool).append([append])
    await database.pool.query(
      `insert into command_bus_event (stream, revision, id, type, data, meta, hash) values ($1, 1, $2, $3, $4, $5, '')`,
      [append.stream, randomUUID(), type, JSON.stringify(data), JSON.stringify(meta)],
    )
    return append.stream
  }

  test.each<[string, string, object, object, string]>([
    ['an unknown type', 'CommandTeleported', { secret }, good.meta, "type: 'CommandTeleported' is not known"],
    ['a newer schema version', 'CommandFailed', failed, { ...good.meta, v: 9 }, 'meta.v: schema version 9'],
    ['a wrong member', 'CommandFailed', { ...failed, attempt: secret }, good.meta, 'data.attempt: expected number'],
    ['a lost member', 'CommandFailed', { ...failed, retryAt: undefined }, good.meta, 'data.retryAt: expected string'],
    [
      'a wrong member deep down',
      'CommandFailed',
      { ...failed, error: { ...error, code: [secret] } },
      good.meta,
      'data.error.code: expected string',
    ],
    [
      'a wrong word',
      'CommandFailed',
      { ...failed, error: { ...error, type: secret } },
      good.meta,
      'data.error.type: expected ',
    ],
    [
      'a wrong member that may be null',
      'CommandCanceled',
      { reason: [secret] },
      good.meta,
      'data.reason: expected string or null',
    ],
    ['a wrong actor', 'CommandFailed', failed, { ...good.meta, actor: [secret] }, 'meta.actor: expected string'],
    [
      'a lost context',
      'CommandFailed',
      failed,
      { ...good.meta, context: { commandType: secret } },
      'meta.context.correlationId: expected string',
    ],
    ['no data at all', 'CommandFailed', [secret], good.meta, 'expected {'],
  ])('%s is reported with stream, revision and path, and without values', async (_, type, data, meta, fault) => {
    const stream = await damaged(type, data, meta)
    const store = createCommandStore(database.pool)
    const reads = [() => store.readStream(stream), () => store.readStream(stream, 1), () => store.readStreams([stream])]
    for (const read of reads) {
      const thrown = await refusalOf(read)
      expect(thrown).toBeInstanceOf(EventDecodeError)
      expect(thrown).toMatchObject({ stream, revision: 1 })
      expect(thrown?.message).toContain(`event 1 of stream '${stream}' cannot be read`)
      expect(thrown?.message).toContain(fault)
      expect(thrown?.message).not.toContain(secret)
    }
  })

  test('is reported by the feed in the same way', async () => {
    const stream = await damaged('CommandFailed', { ...failed, attempt: secret }, good.meta)
    const feed = createPostgresEventFeed(database.pool, commandCodec)
    const { rows } = await database.pool.query(
      'select xid::text || $$/$$ || position as before from command_bus_event where stream = $1 and revision = 0',
      [stream],
    )
    const thrown = await until(
      () => refusalOf(() => feed.read(rows[0].before, 1)),
      refusal => refusal !== null,
    )
    expect(thrown).toMatchObject({ stream, revision: 1, faults: ['data.attempt: expected number'] })
  })

  test('leaves the other streams readable', async () => {
    await damaged('CommandTeleported', {}, good.meta)
    const store = createCommandStore(database.pool)
    const append = sending('payments')
    await store.append([append])
    expect(await store.readStream(append.stream)).toHaveLength(1)
  })
})

const refusalOf = (read: () => Promise<unknown>): Promise<Error | null> =>
  read().then(
    () => null,
    error => error,
  )

describe('transactions beside each other', () => {
  test('200 pairs that append to the same streams in opposite order end without a deadlock', async () => {
    const { store, begin, close } = await openNotedStore()
    const append = async (streams: readonly string[]) => {
      const { within, commit } = await begin()
      const results = await store.append(
        streams.map(stream => write(stream, 'none')),
        { within },
      )
      await commit()
      return results
    }
    const pair = async () => {
      const streams = Array.from({ length: 50 }, newStream)
      const [one, other] = await Promise.all([append(streams), append([...streams].reverse())])
      const pairs = one.map((result, i) => outcomes([result, ...[...other].reverse().slice(i, i + 1)]).sort())
      expect(pairs).toEqual(streams.map(() => ['appended', 'conflict']))
    }
    const runs = async () => {
      for (let i = 0; i < 50; i++) await pair()
    }
    await Promise.all([runs(), runs(), runs(), runs()])
    await close()
  })

  test('revision n + 1 by an older transaction than revision n is refused: the feed would reverse them', async () => {
    const { store, begin, close } = await openNotedStore()
    const stream = newStream()
    const older = await begin()
    await (older.within as ClientBase).query('select pg_current_xact_id()')
    await store.append([write(stream, 'none')])
    const late = write(stream, 0)
    expect(outcomes(await store.append([late], { within: older.within }))).toEqual(['conflict'])
    await older.commit()
    expect(await store.readStream(stream)).toHaveLength(1)
    expect(outcomes(await store.append([late]))).toEqual(['appended'])
    await close()
  })
})
