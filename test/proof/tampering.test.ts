import { generateKeyPairSync } from 'node:crypto'
import pg, { type Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Finding } from '../../src/infrastructure/proof/chain/finding.ts'
import { fingerprintOf, parseSigner, type Signer } from '../../src/infrastructure/proof/chain/keys.ts'
import { sealEvents, sealHead } from '../../src/infrastructure/proof/chain/seals.ts'
import { verifyWithin } from '../../src/infrastructure/proof/verification/verify.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { writeHistory } from '../support/lives/history.ts'

const newSigner = (): Signer => {
  const seed = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  return parseSigner(seed.toString('base64url')) as Signer
}
const signer = newSigner()
const trusted = [fingerprintOf(signer.key)]

/** What a superuser of the database can do: triggers are switched off. */
const tamper = async (client: Client, statement: string, values: readonly unknown[] = []): Promise<void> => {
  await client.query('set session_replication_role = replica')
  const { rowCount } = await client.query(statement, [...values])
  expect(rowCount).toBeGreaterThan(0)
}

/** Recomputes all hashes of a stream from an event on, to match the changed events. */
const rehash = `update command_bus_event e set hash = h.hash
  from (
    select stream, revision, command_bus_chain(case when revision = 0 then ''::bytea end,
      command_bus_event_content(stream, revision, id, type, data, meta, msg_id, recorded)) over (partition by stream order by revision) as hash
    from command_bus_event where stream = $1) h
  where e.stream = h.stream and e.revision = h.revision`

interface Tampering {
  readonly name: string
  /** Picks a command and changes it; returns the stream (or another name that the finding must have). */
  readonly how: (client: Client, pick: (where: string) => Promise<string>) => Promise<string>
  readonly found: Partial<Finding>
  /** Rows or seals that do not match either. */
  readonly others?: readonly Finding['kind'][]
}

const long = `(select max(revision) from command_bus_event e where e.stream = s.stream) >= 2`
const archive = 'pgmq.a_shop__commands'
const queue = 'pgmq.q_shop__commands'

const tamperings: readonly Tampering[] = [
  {
    name: 'the data of an event is edited',
    how: async (client, pick) => {
      const stream = await pick(long)
      await tamper(
        client,
        `update command_bus_event set data = jsonb_set(data, '{data,amount}', '1000000') where stream = $1 and revision = 0`,
        [stream],
      )
      return stream
    },
    found: { kind: 'event', revision: 0, column: 'hash' },
    others: ['message'],
  },
  {
    name: 'the actor of an event is edited',
    how: async (client, pick) => {
      const stream = await pick(long)
      await tamper(
        client,
        `update command_bus_event set meta = jsonb_set(meta, '{actor}', '"somebody else"') where stream = $1 and revision = 1`,
        [stream],
      )
      return stream
    },
    found: { kind: 'event', revision: 1, column: 'hash' },
  },
  {
    name: 'the time an event was recorded is edited',
    how: async (client, pick) => {
      const stream = await pick('true')
      await tamper(
        client,
        `update command_bus_event set recorded = recorded + '1us' where stream = $1 and revision = 1`,
        [stream],
      )
      return stream
    },
    found: { kind: 'event', revision: 1, column: 'hash' },
  },
  {
    name: 'an event is removed from the middle',
    how: async (client, pick) => {
      const stream = await pick(long)
      await tamper(client, 'delete from command_bus_event where stream = $1 and revision = 1', [stream])
      return stream
    },
    found: { kind: 'event', revision: 1, column: '*', message: 'event 1 is missing: the next is 2' },
    others: ['seal', 'row'],
  },
  {
    name: 'the last event of a stream is removed',
    how: async (client, pick) => {
      const stream = await pick(
        `not exists (select from command_bus_event e where e.stream = s.stream and revision > 1) and c.status = 'COMPLETED'`,
      )
      await tamper(client, 'delete from command_bus_event where stream = $1 and revision = 1', [stream])
      return stream
    },
    found: { kind: 'row', column: 'revision', expected: 0, found: 1 },
    others: ['seal', 'row', 'message'],
  },
  {
    name: 'a whole stream is removed, with its row',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'COMPLETED' and not (${long})`)
      await tamper(client, `delete from command_bus_command where 'command-' || domain || '-' || command_id = $1`, [
        stream,
      ])
      await tamper(client, 'delete from command_bus_event where stream = $1', [stream])
      return 'seal'
    },
    found: {
      kind: 'seal',
      column: 'events',
      message: expect.stringMatching(
        /covers \d+ events after position \d+ up to \d+; there are \d+ now: events were removed/,
      ),
    },
    others: ['seal'],
  },
  {
    name: 'two events of a stream change places',
    how: async (client, pick) => {
      const stream = await pick(long)
      await tamper(
        client,
        `update command_bus_event set revision = 1000 - revision where stream = $1 and revision in (1, 2)`,
        [stream],
      )
      await tamper(
        client,
        `update command_bus_event set revision = revision - 997 where stream = $1 and revision >= 998`,
        [stream],
      )
      return stream
    },
    found: {
      kind: 'event',
      column: 'position',
      message: expect.stringMatching(/stands before event 1 in the order of the log/),
    },
    others: ['row', 'event'],
  },
  {
    name: 'events of two streams change places in the log',
    how: async client => {
      await tamper(
        client,
        `with gone as (delete from command_bus_event where position in (10, 11) returning *)
        insert into command_bus_event (position, xid, stream, revision, id, type, data, meta, msg_id, recorded, hash)
        overriding system value select 21 - position, xid, stream, revision, id, type, data, meta, msg_id, recorded, hash from gone`,
      )
      return 'seal 1'
    },
    found: { kind: 'seal', column: 'hash' },
  },
  {
    name: 'an event is added with a hash that fits',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'COMPLETED'`)
      await tamper(
        client,
        `insert into command_bus_event (position, xid, stream, revision, id, type, data, meta, msg_id, recorded, hash)
        overriding system value
        select e.position, e.xid, e.stream, e.revision + 1, gen_random_uuid(), e.type, e.data, e.meta, null, e.recorded, e.hash
        from command_bus_event e where e.stream = $1 order by revision desc limit 1`,
        [stream],
      )
      await tamper(client, rehash, [stream])
      return 'seal'
    },
    found: { kind: 'seal', column: 'events', message: expect.stringMatching(/events were inserted/) },
    others: ['row', 'event'],
  },
  {
    name: 'an event is edited and all hashes after it are made to fit',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'COMPLETED' and not (${long})`)
      await tamper(
        client,
        `update command_bus_event set data = jsonb_set(data, '{result}', '"paid"') where stream = $1 and revision = 1`,
        [stream],
      )
      await tamper(client, rehash, [stream])
      return 'seal'
    },
    found: { kind: 'seal', column: 'hash' },
  },
  {
    name: 'a row is edited',
    how: async (client, pick) => {
      const stream = await pick('true')
      await tamper(
        client,
        `update command_bus_command set tenant_id = 'mine' where 'command-' || domain || '-' || command_id = $1`,
        [stream],
      )
      return stream
    },
    found: { kind: 'row', column: 'tenant_id', found: 'mine' },
  },
  {
    name: 'a row is removed',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'COMPLETED' and not (${long})`)
      await tamper(client, `delete from command_bus_command where 'command-' || domain || '-' || command_id = $1`, [
        stream,
      ])
      return stream
    },
    found: { kind: 'row', column: '*', found: null },
  },
  {
    name: 'a row is inserted',
    how: async client => {
      await tamper(
        client,
        `insert into command_bus_command select (jsonb_populate_record(c, jsonb_build_object('command_id', '00000000-0000-4000-8000-00000000beef'))).*
        from command_bus_command c where status = 'FAILED' limit 1`,
      )
      return 'command-shop-00000000-0000-4000-8000-00000000beef'
    },
    found: { kind: 'row', column: '*', expected: null },
  },
  {
    name: 'a message is removed from its queue',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'IN_PROGRESS'`)
      await tamper(client, `delete from ${queue} where message->>'command_id' = right($1, 36)`, [stream])
      return stream
    },
    found: {
      kind: 'message',
      column: 'msg_id',
      found: null,
      message: expect.stringMatching(/of this IN_PROGRESS command is not on its queue/),
    },
  },
  {
    name: 'a message on its queue is changed',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'IN_PROGRESS'`)
      await tamper(
        client,
        `update ${queue} set message = jsonb_set(message, '{data,amount}', '7') where message->>'command_id' = right($1, 36)`,
        [stream],
      )
      return stream
    },
    found: { kind: 'message', column: 'message.data' },
  },
  {
    name: 'an archived message is changed',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'FAILED'`)
      await tamper(
        client,
        `update ${archive} set message = jsonb_set(message, '{correlation_id}', '"x"') where message->>'command_id' = right($1, 36)`,
        [stream],
      )
      return stream
    },
    found: { kind: 'message', column: 'message.correlation_id', found: 'x' },
  },
  {
    name: 'an archived message is removed',
    how: async (client, pick) => {
      const stream = await pick(
        `c.status = 'FAILED' and not exists (select from command_bus_event e where e.stream = s.stream and e.type = 'OperatorRetried')`,
      )
      await tamper(client, `delete from ${archive} where message->>'command_id' = right($1, 36)`, [stream])
      return stream
    },
    found: { kind: 'message', column: 'msg_id', found: null, message: expect.stringMatching(/is not in the archive/) },
  },
  {
    name: 'a message is put on a queue by hand',
    how: async (client, pick) => {
      const stream = await pick(`c.status = 'COMPLETED'`)
      await tamper(
        client,
        `select pgmq.send('shop__commands', jsonb_build_object('command_id', right($1, 36), 'domain', 'shop', 'data', '{}'::jsonb))`,
        [stream],
      )
      return 'queue shop__commands'
    },
    found: {
      kind: 'message',
      column: '*',
      expected: null,
      message: expect.stringMatching(/put there or changed by hand/),
    },
  },
  {
    name: 'a seal is changed',
    how: async client => {
      await tamper(client, `update command_bus_seal set sealed_at = sealed_at - '1 day'::interval where number = 1`)
      return 'seal 1'
    },
    found: { kind: 'seal', column: 'hash' },
  },
  {
    name: 'the first seal, which names the log, is changed',
    how: async client => {
      await tamper(client, `update command_bus_seal set about = '{"log": "another"}' where number = 0`)
      return 'seal 0'
    },
    found: { kind: 'seal', column: 'hash' },
  },
  {
    name: 'a seal is removed',
    how: async client => {
      await tamper(client, 'delete from command_bus_seal where number = 1')
      return 'seal 2'
    },
    found: { kind: 'seal', column: '*', message: 'the seal before it, 1, is missing' },
  },
  {
    name: 'a seal is rewritten with another key',
    how: async client => {
      const other = newSigner()
      const { rows } = await client.query('select hash from command_bus_seal where number = 2')
      await tamper(client, 'update command_bus_seal set key = $1, signature = $2 where number = 2', [
        other.key,
        other.sign(rows[0].hash),
      ])
      return 'seal 2'
    },
    found: { kind: 'seal', column: 'signature', message: expect.stringMatching(/a key that is not trusted here/) },
  },
  {
    name: 'the end of the log is cut off, with its seals',
    how: async client => {
      await tamper(client, 'delete from command_bus_seal where number > 1')
      return 'seal'
    },
    found: { kind: 'seal', column: '*', found: null, message: expect.stringMatching(/it was there once, and is gone/) },
  },
]

const prepared = async (commands: number, batch: number): Promise<TestDatabase> => {
  const database = await createTestDatabase()
  await writeHistory({ pool: database.pool, commands, seed: 7 })
  await sealEvents(database.pool, { signer, batch })
  return database
}

/** A command for which `where` holds, and which was not picked before. */
const picker = (client: Client) => {
  const taken: string[] = []
  return async (where: string): Promise<string> => {
    const { rows } = await client.query(
      `select s.stream from command_bus_command c cross join lateral (select 'command-' || c.domain || '-' || c.command_id as stream) s
       where (${where}) and s.stream <> all ($1::text[])
         and exists (select from command_bus_event e where e.stream = s.stream and e.revision = 1) order by 1 limit 1`,
      [taken],
    )
    const stream = rows[0]?.stream
    if (stream === undefined) throw new Error(`no command for which ${where}`)
    taken.push(stream)
    return stream
  }
}

const finding = (found: Partial<Finding>, named: string): unknown =>
  expect.objectContaining({ ...(found as object), stream: expect.stringContaining(named) })

/** For machines that are busy. */
const patienceFor = (commands: number): number => 120_000 + commands * 6

/** A history in a database of its own, for the tests of a block; what a test does to it is undone. */
const useHistory = (commands: number, batch: number) => {
  let database: TestDatabase
  let client: Client
  beforeAll(async () => {
    database = await prepared(commands, batch)
    client = new pg.Client(database.url)
    await client.connect()
  }, patienceFor(commands))
  beforeEach(() => client.query('begin'))
  afterEach(() => client.query('rollback'))
  afterAll(async () => {
    await client.end()
    await database.drop()
  })
  return () => client
}

describe('verify finds and names in a small history that', () => {
  const history = useHistory(120, 60)

  test.each(tamperings)('$name', async ({ how, found, others = [] }) => {
    const client = history()
    expect((await verifyWithin(client, { trusted })).findings).toEqual([])
    const known = [await sealHead(client)]
    const named = await how(client, picker(client))
    const { findings } = await verifyWithin(client, { trusted, known })
    expect(findings).toContainEqual(finding(found, named))
    const kinds = [found.kind, ...others]
    expect(findings.filter(({ kind }) => !kinds.includes(kind))).toEqual([])
  })
})

describe('in a long, random history', () => {
  // `npm run bench -- proof` does it with 100,000
  const commands = Number(process.env.PROOF_COMMANDS ?? 10_000)
  const history = useHistory(commands, 1_000)

  test(
    'verify finds nothing while it is unchanged, and later every change',
    async () => {
      const client = history()
      const began = performance.now()
      const clean = await verifyWithin(client, { trusted })
      if (process.env.PROOF_COMMANDS !== undefined) {
        console.info(
          `${clean.events} events of ${clean.commands} commands verified in ${Math.round(performance.now() - began)} ms`,
        )
      }
      expect(clean.findings).toEqual([])
      expect([clean.commands, clean.unsealed, clean.truncated]).toEqual([commands, 0, false])
      expect(clean.seals).toBeGreaterThan(20)
      const known = [await sealHead(client)]
      const done: (readonly [named: string, found: Partial<Finding>])[] = []
      const pick = picker(client)
      // a seal is reported once, however much is wrong with it
      for (const { how, found } of tamperings.filter(one => one.found.kind !== 'seal')) {
        done.push([await how(client, pick), found])
      }
      const { findings } = await verifyWithin(client, { trusted, known })
      for (const [named, found] of done) {
        expect(findings).toContainEqual(finding(found, named))
      }
      expect(findings.some(({ kind }) => kind === 'seal')).toBe(true)
    },
    patienceFor(commands),
  )
})
