import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommandNotFoundError, DuplicateCommandError } from '../../src/index.ts'
import { type ArchiveOptions, archiveOld, countOld } from '../../src/infrastructure/proof/archive/archive.ts'
import { verifyFiles } from '../../src/infrastructure/proof/archive/archive-files.ts'
import { readCase } from '../../src/infrastructure/proof/case/read-case.ts'
import { fingerprintOf, parseSigner, type Signer } from '../../src/infrastructure/proof/chain/keys.ts'
import { verifyLog } from '../../src/infrastructure/proof/verification/verify.ts'
import { createTestBus } from '../support/bus.ts'
import { OF_THIS_DATABASE } from '../support/database.ts'
import { writeHistory } from '../support/lives/history.ts'
import { useProgram } from '../support/servers/cli.ts'

const secret = randomBytes(32).toString('base64url')
const signer = parseSigner(secret) as Signer
const trusted = [fingerprintOf(signer.key)]
const DAY = 86_400_000
let directory: string
const program = useProgram()
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'commandbus-archive-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const newDirectory = () => mkdtemp(join(directory, 'to-'))

/** Commands of long ago, and some of today. */
const aged = async () => {
  const setup = await createTestBus()
  const old = await writeHistory({ pool: setup.pool, commands: 200, at: new Date(Date.now() - 100 * DAY) })
  const fresh = await writeHistory({ pool: setup.pool, commands: 50, seed: 2, domain: 'new' })
  const to = await newDirectory()
  const options: ArchiveOptions = {
    pool: setup.pool,
    signer,
    directory: to,
    before: new Date(Date.now() - 90 * DAY),
    by: 'jane',
    now: () => new Date(),
    chunk: 80,
  }
  return { ...setup, old, fresh, to, options }
}

const tables = async (pool: ArchiveOptions['pool']) => {
  const { rows } = await pool.query(
    `select (select count(*)::int from command_bus_event) as events, (select count(*)::int from command_bus_command) as rows,
       (select count(*)::int from command_bus_archived_stream) as gone, (select count(*)::int from command_bus_archived_event) as gone_events`,
  )
  return rows[0]
}

describe('archive', () => {
  test('moves old streams to files that have all their events, and the proof stays valid', async () => {
    const { pool, old, to, options } = await aged()
    // pgmq archived them a moment ago: they are as old as their commands
    await pool.query(`update pgmq.a_shop__commands set archived_at = now() - interval '99 days'`)
    const before = await tables(pool)
    const events = await pool.query(`select id from command_bus_event e join command_bus_command c
      on e.stream = 'command-' || c.domain || '-' || c.command_id where c.domain = 'shop' and c.status in ('COMPLETED', 'FAILED', 'CANCELED')`)
    const planned = await countOld(pool, options.before)
    expect(planned.events).toBe(events.rowCount)
    const files = await archiveOld(options)
    expect(files.length).toBeGreaterThan(2)
    const sum = (of: 'streams' | 'events' | 'messages') => files.reduce((n, file) => n + file[of], 0)
    expect([sum('streams'), sum('events'), sum('messages')]).toEqual([
      planned.streams,
      planned.events,
      planned.messages,
    ])
    const after = await tables(pool)
    expect(after).toEqual({
      events: before.events - planned.events,
      rows: before.rows - planned.streams,
      gone: planned.streams,
      gone_events: planned.events,
    })
    expect((await pool.query('select from pgmq.a_shop__commands')).rowCount).toBe(0)

    const found = new Set<string>()
    for (const { file, sha256 } of files) {
      const report = await readCase(file, { trusted, onEvent: event => found.add(event.id) })
      expect(report).toMatchObject({ faults: [], isTrusted: true, sha256, header: { kind: 'archive', madeBy: 'jane' } })
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    expect(found).toEqual(new Set(events.rows.map(row => row.id)))
    expect(old.length).toBe(200)
    expect(await verifyLog(pool, { trusted })).toMatchObject({ findings: [] })
    expect(await verifyFiles(pool, to)).toEqual([])
    expect(await archiveOld(options)).toEqual([])

    const file = files[0]?.file as string
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from('\n')]))
    await rm(files[1]?.file as string)
    const faults = await verifyFiles(pool, to)
    expect(new Set(faults.map(({ stream }) => stream))).toEqual(
      new Set([basename(file), basename(files[1]?.file as string)]),
    )
  })

  test('A14: the id of an archived command is still a duplicate, alone and in a batch; a message of it is not handled', async () => {
    const { bus, pool, options, work, until, archived } = await aged()
    await archiveOld(options)
    const { rows } = await pool.query('select stream, status from command_bus_archived_stream order by stream limit 2')
    const [id, other] = rows.map(({ stream }) => stream.slice(-36))
    await expect(bus.send('shop', 'Charge', {}, { commandId: id })).rejects.toThrow(DuplicateCommandError)
    expect(
      (
        await bus.sendBatch('shop', [
          { commandType: 'Charge', data: {}, commandId: other },
          { commandType: 'Charge', data: {} },
        ])
      ).map(({ outcome }) => outcome),
    ).toEqual(['duplicate', 'accepted'])
    expect(await bus.getCommand('shop', id)).toBeNull()
    await expect(bus.getHistory('shop', id)).rejects.toThrow(CommandNotFoundError)
    await expect(bus.troubleshooting.rehearse('shop', id)).rejects.toThrow(CommandNotFoundError)
    await pool.query(
      `select pgmq.send('shop__commands', jsonb_build_object('command_id', $1::text, 'command_type', 'Charge', 'domain', 'shop', 'data', 1))`,
      [id],
    )
    let handled = 0
    await work({
      domain: 'shop',
      handlers: {
        Charge: async () => void handled++,
        Ship: async () => {},
      },
    })
    await until(
      () => archived('shop__commands'),
      seen => seen.some(({ message }) => message.command_id === id),
    )
    expect((await pool.query('select from command_bus_event where right(stream, 36) = $1', [id])).rowCount).toBe(0)
  })

  test.each(['read committed', 'repeatable read'])(
    'G11: twenty late duplicates at once, while their streams are moved (%s), are duplicates and are not sent again',
    async isolation => {
      const { bus, pool, database, options, until } = await aged()
      const { rows } = await pool.query(
        `select command_id as id from command_bus_command where domain = 'shop' and status = 'COMPLETED' order by created_at, command_id, domain limit 5`,
      )
      const ids: readonly string[] = rows.map(({ id }) => id)
      const clients = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = new pg.Client({ connectionString: database.url })
          await client.connect()
          return client
        }),
      )
      const holder = await pool.connect()
      try {
        // some transactions still see the stream, and some do not
        if (isolation === 'repeatable read') {
          for (const client of clients) await client.query('begin isolation level repeatable read; select 1')
        }
        // the archive has deleted the events, and waits for a row
        await holder.query('begin')
        await holder.query(
          `select from command_bus_command where domain = 'shop' and command_id = any ($1) for update`,
          [ids],
        )
        const archived = archiveOld({ ...options, chunk: 5_000 })
        await until(
          () =>
            pool.query(
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'delete from %command_bus_command c %'`,
            ),
          ({ rowCount }) => rowCount === 1,
        )
        const stream = (id: string) => `command-shop-${id}`
        // as the bus sends: the first event is expected to be the first
        const sent = clients.map(async (client, i) => {
          const id = ids[i % ids.length] as string
          const event = {
            event: 0,
            stream: stream(id),
            revision: 0,
            id: randomUUID(),
            type: 'CommandSent',
            data: {},
            meta: {},
          }
          const outcome = await client
            .query('select command_bus_commit($1) as answer', [JSON.stringify({ events: [event] })])
            .then(
              ({ rows: [row] }) => row.answer.lost.length,
              error => error.code,
            )
          await client.query('commit')
          return outcome
        })
        const byBus = ids.map(id =>
          bus.send('shop', 'Charge', {}, { commandId: id }).then(
            () => 'sent',
            error => error.code,
          ),
        )
        await until(
          () =>
            pool.query(
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%command_bus_commit%'`,
            ),
          ({ rowCount }) => (rowCount ?? 0) >= 20,
        )
        await holder.query('commit')
        await archived
        expect(new Set(await Promise.all(byBus))).toEqual(new Set(['DUPLICATE_COMMAND']))
        const outcomes = await Promise.all(sent)
        expect(outcomes.filter(outcome => outcome !== '40001' && outcome !== 1)).toEqual([])
        const left = await pool.query(`select from command_bus_event where stream = any ($1)`, [ids.map(stream)])
        expect(left.rowCount).toBe(0)
        for (const id of ids) {
          await expect(bus.send('shop', 'Charge', {}, { commandId: id })).rejects.toThrow(DuplicateCommandError)
        }
        expect(await verifyLog(pool, { trusted })).toMatchObject({ findings: [] })
      } finally {
        holder.release()
        await Promise.all(clients.map(client => client.end()))
      }
    },
  )

  test('events that are not recorded as archived cannot be deleted, nor can a part of a stream', async () => {
    const { pool, fresh } = await aged()
    const [stream] = fresh
    await expect(pool.query('delete from command_bus_event where stream = $1', [stream])).rejects.toThrow(/append-only/)
    await pool.query(
      `insert into command_bus_archived_stream select stream, revision, hash, 'COMPLETED', 1 from command_bus_event where stream = $1 and revision = 1`,
      [stream],
    )
    await pool.query(
      'insert into command_bus_archived_event select xid, position, hash from command_bus_event where stream = $1 and revision = 1',
      [stream],
    )
    await expect(
      pool.query('delete from command_bus_event where stream = $1 and revision = 1', [stream]),
    ).rejects.toThrow(/append-only/)
    const { findings } = await verifyLog(pool)
    expect(findings.map(({ kind }) => kind)).toContain('archive')
  })

  test('moves nothing of a damaged log, and names the event', async () => {
    const { pool, old, options } = await aged()
    const client = await pool.connect()
    await client.query('set session_replication_role = replica')
    await client.query(
      `update command_bus_event set meta = jsonb_set(meta, '{actor}', '"x"') where revision = 0 and stream in
       (select 'command-' || domain || '-' || command_id from command_bus_command where domain = 'shop' and status = 'COMPLETED' order by created_at, command_id limit 1)`,
    )
    await client.query('reset session_replication_role')
    client.release()
    const before = await tables(pool)
    await expect(archiveOld(options)).rejects.toThrow(/nothing is moved, because event 0 of command-shop-/)
    expect(await tables(pool)).toEqual(before)
    expect(old).toHaveLength(200)
  })
})

describe('commandbus archive', () => {
  test('shows first what it would do; when killed between file and removal it loses nothing, and the next run goes on', async () => {
    const { pool, database, to, options } = await aged()
    const env = { DATABASE_URL: database.url, COMMANDBUS_PROOF_KEY: secret }
    const flags = ['archive', '--older-than', '90d', '--to', to]
    const planned = await countOld(pool, options.before)
    const dry = await program.run([...flags, '--dry-run'], { env })
    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Would move ${planned.streams} commands with ${planned.events} events`),
    })
    expect(await readdir(to)).toEqual([])

    const before = await tables(pool)
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('lock table command_bus_archived_stream in exclusive mode')
    const killed = program.launch(flags, { env })
    const blocked = `select 1 from pg_locks where ${OF_THIS_DATABASE} and not granted and relation = 'command_bus_archived_stream'::regclass`
    for (;;) if ((await pool.query(blocked)).rowCount !== 0) break
    const orphan = await readdir(to)
    expect(orphan).toHaveLength(1)
    killed.kill('SIGKILL')
    await pool.query(
      `select pg_terminate_backend(pid) from pg_locks where ${OF_THIS_DATABASE} and not granted and relation = 'command_bus_archived_stream'::regclass`,
    )
    await holder.query('rollback')
    holder.release()
    expect(await tables(pool)).toEqual(before)
    expect((await verifyLog(pool, { trusted })).findings).toEqual([])

    const moved = await program.run([...flags, '--json', '--operator', 'jane'], { env })
    expect(moved).toMatchObject({ code: 0, stderr: '' })
    expect((await tables(pool)).gone).toBe(planned.streams)
    const verified = await program.run(['verify', '--archives', to, '--json'], { env })
    expect(verified).toMatchObject({ code: 0 })
    expect(verified.json()).toMatchObject({ findings: [] })
    const [{ stream }] = (await pool.query('select stream from command_bus_archived_stream limit 1')).rows
    const found = await program.run(['archive', '--find', stream.slice(-36)], { env })
    expect(found.stdout).toMatch(new RegExp(`${stream} \\([A-Z]+\\) is in .*000001.jsonl.gz`))
    const file = join(to, orphan[0] ?? '')
    const replayed = await program.run(['replay', stream.slice(-36), '--from', file, '--trust', trusted[0] ?? ''])
    expect(replayed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/SENT[\s\S]*The file is as it was signed/),
    })
  })
})

describe('commandbus export', () => {
  test('writes a case file without secrets, which opens offline and shows whether it was altered', async () => {
    const { bus, database, work, until } = await createTestBus()
    const command = await bus.send(
      'shop',
      'Charge',
      { card: { number: '4111', token: 'tok_1' }, note: 'with sk-live-1234567890' },
      { correlationId: 'case 7' },
    )
    await bus.send('shop', 'Charge', { amount: 1.5, name: 'Zoë 🎉' }, { correlationId: 'case 7' })
    await bus.send('shop', 'Charge', { amount: 2 }, { correlationId: 'other' })
    await work({ domain: 'shop', handlers: { Charge: async () => ({ fine: true }) } })
    await until(
      () => bus.queryCommands({ status: 'COMPLETED' }),
      page => page.items.length === 3,
    )
    const env = { DATABASE_URL: database.url, COMMANDBUS_PROOF_KEY: secret }
    const file = join(await newDirectory(), 'case.jsonl.gz')
    const written = await program.run(
      ['export', '--correlation', 'case 7', '-o', file, '--redact', 'number', '--operator', 'jane'],
      { env },
    )
    expect(written).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/events of 2 commands[\s\S]*Signed with SHA256:/),
    })
    const text = gunzipSync(await readFile(file)).toString()
    expect(text).not.toMatch(/4111|tok_1|sk-live/)

    const opened = await program.run(['replay', '--from', file, '--trust', trusted[0] ?? '', '--json'])
    expect(opened).toMatchObject({ code: 0, stderr: '' })
    expect(opened.json()).toMatchObject({
      altered: false,
      isTrusted: true,
      redactedEvents: 1,
      streams: 2,
      header: { madeBy: 'jane', about: { correlationId: 'case 7' } },
    })
    const shown = await program.run(['replay', '--from', file])
    expect(shown.stdout).toMatch(
      /COMPLETED[\s\S]*Hidden +something in the data of 1 events[\s\S]*compare it with the key that its maker names/,
    )
    expect(shown.stdout).toContain(command.commandId)

    const altered = join(await newDirectory(), 'case.jsonl.gz')
    const forge = async (from: string, to: string) => {
      expect(text).toContain(from)
      await writeFile(altered, gzipSync(text.replace(from, to)))
      return program.run(['replay', '--from', altered])
    }
    const actor = await forge('\\"actor\\": \\"sender\\"', '\\"actor\\": \\"nobody\\"')
    expect(actor).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /ALTERED:[\s\S]*event 0 \(CommandSent\)[\s\S]*its hash does not fit[\s\S]*altered after it was made/,
      ),
    })
    expect(await forge('(hidden)', '(seen)')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/altered after it was made/),
    })
    const lines = text.split('\n')
    await writeFile(altered, gzipSync([...lines.slice(0, 2), ...lines.slice(3)].join('\n')))
    expect((await program.run(['replay', '--from', altered])).stdout).toMatch(/ALTERED/)
    await writeFile(altered, gzipSync(lines.slice(0, 3).join('\n')))
    expect((await program.run(['replay', '--from', altered])).stdout).toMatch(/the end of the file is missing/)
    await writeFile(altered, (await readFile(file)).subarray(0, 300))
    expect((await program.run(['replay', '--from', altered])).code).toBe(1)
    expect(await program.run(['replay', '--from', file, '--trust', 'SHA256:other'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/a key that is not trusted here/),
    })
  })

  test.each([
    [['export', '-o', 'x'], 2, /name what to write/],
    [['replay', '--from', '/nowhere/x.jsonl.gz'], 1, /cannot be read \(ENOENT\)/],
    [['replay', '--from', import.meta.filename], 1, /is not a file that `export` or `archive` has made/],
    [['archive', '--older-than', 'long'], 2, /--older-than must be an age like 90d/],
    [['archive'], 2, /--older-than must be an age like 90d/],
    [['replay', '--from', 'x', '--step'], 2, /--from shows a whole file/],
  ])('%j: says why not', async (args, code, sentence) => {
    expect(await program.run(args)).toMatchObject({ code, stderr: expect.stringMatching(sentence) })
  })
})
