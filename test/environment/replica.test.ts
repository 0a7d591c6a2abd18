import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandBus, type CommandBusOptions, createCommandBus, type Identity } from '../../src/index.ts'
import { AGE_HEADER } from '../../src/infrastructure/http/requests/age.ts'
import { grant } from '../../src/infrastructure/postgres/rights/grants.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createPool } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { checkReplica, replicaCheck } from '../../src/infrastructure/service/checks.ts'
import { createMetrics } from '../../src/infrastructure/telemetry/metrics.ts'
import { until } from '../support/bus.ts'
import { startTestDouble } from '../support/eventstoredb/server.ts'
import { type Served, serve } from '../support/http.ts'
import { useProgram } from '../support/servers/cli.ts'
import { type CutLine, openCutLine } from '../support/servers/cut-line.ts'
import { installedVersions, startInstalled } from '../support/servers/installed-postgres.ts'
import { eventually, startService } from '../support/servers/service.ts'
import { startStandby } from '../support/servers/standby.ts'

const program = useProgram()
const version = installedVersions().at(-1)
const operator: Identity = { subject: 'ann', tenant: null, roles: ['ADMIN', 'OPERATOR', 'AUDITOR', 'SENDER', 'USER'] }
const PAYMENTS = 'payments'

interface Pair {
  /** A superuser's connections. */
  readonly primary: pg.Pool
  readonly standby: pg.Pool
  /** As role `ops`, which has only what `commandbus grants` gives an operator. */
  readonly primaryUrl: string
  readonly superUrl: string
  /** The same as `primaryUrl` on the standby, through `line`. */
  readonly replicaUrl: string
  readonly line: CutLine
}

interface Logged {
  readonly level: 'info' | 'warn'
  readonly message: string
  readonly reason?: unknown
}

/** Everything that a bus needs in a new database, and what role `ops` needs there. */
const prepare = async (superuser: pg.Pool): Promise<void> => {
  const client = await superuser.connect()
  try {
    await ensurePgmq(client, { installSql: true })
    await migrate(client)
    await grant(client, [
      { role: 'ops', kind: 'operator' },
      { role: 'ops', kind: 'worker' },
    ])
  } finally {
    client.release()
  }
}

const onDatabase = (url: string, name: string): string => {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

describe.skipIf(version === undefined)('a bus with a replica for reads', () => {
  const stops: (() => Promise<unknown>)[] = []
  let pair: Pair
  /** May show what is up to a minute old. */
  let bus: CommandBus

  const busOf = (more: CommandBusOptions = {}, into: Logged[] = []): CommandBus => {
    const note = (level: Logged['level']) => (facts: object, message: string) =>
      void into.push({ level, message, ...facts })
    const log = { debug: () => {}, info: note('info'), warn: note('warn'), error: note('warn') }
    return createCommandBus({ databaseUrl: pair.primaryUrl, readDatabaseUrl: pair.replicaUrl, log, ...more })
  }

  const usedBy = (one: CommandBus) =>
    until(
      async () => one.replica?.health().state,
      state => state === 'used',
    )

  /** Nothing of what `work` writes reaches the standby before it ends. */
  const whilePaused = async <A>(work: () => Promise<A>): Promise<A> => {
    await caughtUp()
    await pair.standby.query('select pg_wal_replay_pause()')
    await until(
      async () => (await pair.standby.query('select pg_get_wal_replay_pause_state() as state')).rows[0].state,
      state => state === 'paused',
    )
    try {
      return await work()
    } finally {
      await pair.standby.query('select pg_wal_replay_resume()')
      await caughtUp()
    }
  }

  const caughtUp = async (): Promise<void> => {
    const { lsn } = (await pair.primary.query('select pg_current_wal_lsn()::text as lsn')).rows[0]
    await until(
      async () => (await pair.standby.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as yes', [lsn])).rows[0].yes,
      yes => yes,
    )
  }

  beforeAll(async () => {
    if (version === undefined) return
    const server = await startInstalled(version)
    stops.push(server.stop)
    const primary = new pg.Pool({ connectionString: server.url })
    await primary.query('create role ops login')
    await prepare(primary)
    const replica = await startStandby(version, server.url)
    stops.push(replica.stop)
    const line = await openCutLine(replica.url.replace('admin@', 'ops@'))
    const standby = new pg.Pool({ connectionString: replica.url })
    for (const pool of [primary, standby]) pool.on('error', () => {})
    await until(
      () => standby.query('select 1').catch(() => null),
      answer => answer !== null,
    )
    pair = {
      primary,
      standby,
      superUrl: server.url,
      primaryUrl: server.url.replace('admin@', 'ops@'),
      replicaUrl: line.url,
      line,
    }
    bus = busOf({ maxReadLagMs: 60_000 })
    const fail = { handle: () => Promise.reject(Object.assign(new Error('no'), { code: 'DOWN' })) }
    const worker = bus.worker({ domain: PAYMENTS, handlers: { Charge: fail }, pollMs: 50 })
    await worker.start()
    await bus.sendBatch(
      PAYMENTS,
      ['one', 'two'].map(correlationId => ({
        commandType: 'Charge',
        data: { amount: 5 },
        maxAttempts: 1,
        replyTo: 'shop__replies',
        correlationId,
      })),
    )
    await until(
      () => bus.as(operator, { signal: AbortSignal.timeout(10_000), fresh: true }).troubleshooting.list({}),
      ({ total }) => total === 2,
    )
    await worker.stop()
    await usedBy(bus)
    await caughtUp()
  })

  afterAll(async () => {
    await bus?.close()
    if (pair !== undefined) {
      await pair.line.close()
      for (const pool of [pair.primary, pair.standby]) await pool.end()
    }
    for (const stop of stops.reverse()) await stop()
  })

  const parked = async () => {
    const [first] = (await bus.troubleshooting.list()).items
    if (first === undefined) throw new Error('nothing is parked')
    return first.commandId
  }

  test('reads lists, histories, statistics and figures there as the role of an operator, and writes nothing', async () => {
    const ages: number[] = []
    const told: Logged[] = []
    const signal = AbortSignal.timeout(30_000)
    const own = busOf({}, told)
    const tenant = { subject: 'eve', tenant: 'acme', roles: ['CUSTOMER_ADMIN', 'AUDITOR'] } as const
    await own.credits.grant('admin', tenant.tenant, { pool: 'monthly', amount: 1, reason: 'plan' })
    const { id: templateId } = await own.runs.createTemplate(tenant, { name: 'Summaries', creditsPerRun: 1 })
    const { id: runId } = await own.runs.initiate(tenant, { templateId, files: [{ fileName: 'a.pdf', input: {} }] })
    await caughtUp()
    await own.ready()
    await usedBy(own)
    const caller = own.as(operator, { signal, onAge: age => void ages.push(age) })
    const id = await parked()
    const reads = {
      queryCommands: () => caller.queryCommands({ correlationId: 'one' }),
      auditTrail: () => caller.auditTrail(PAYMENTS, id),
      history: () => caller.history(PAYMENTS, id),
      attempts: () => caller.attempts(PAYMENTS, id),
      correlation: () => caller.correlation('one'),
      parked: () => caller.troubleshooting.list({}),
      groups: () => caller.troubleshooting.groups({}),
      listAt: () => caller.troubleshooting.listAt({}),
      explain: () => caller.troubleshooting.explain({ domain: PAYMENTS, commandType: 'Charge', errorCode: 'DOWN' }),
      actions: () => caller.troubleshooting.actions(),
      lanes: () => caller.lanes.list(),
      lanesAt: () => caller.lanes.listAt(new Date().toISOString()),
      owed: () => caller.replies.owed(),
      undelivered: () => caller.replies.undelivered({}),
      strangers: () => caller.strangers.list(),
      operations: () => caller.operations.list({}),
      stats: () => caller.stats(),
      types: () => caller.figures.types(),
      causes: () => caller.figures.causes(),
      status: () => caller.figures.status(),
    }
    for (const [name, read] of Object.entries(reads)) {
      const before = ages.length
      await read()
      expect([name, ages.length - before]).toEqual([name, 1])
    }
    const customer = own.as(tenant, { signal, onAge: age => void ages.push(age) })
    await customer.runs.list()
    await customer.runs.history(runId)
    await customer.credits.entries()
    expect(ages).toHaveLength(Object.keys(reads).length + 2)
    expect(Math.max(...ages)).toBeLessThan(20_000)
    // a standby has sequences ahead of what was taken from them
    for (const { queues } of [await caller.stats(), { queues: (await caller.figures.queues()).items }])
      expect(queues.find(({ queue }) => queue === `${PAYMENTS}__commands`)).toMatchObject({ total: 2 })
    ages.length = 0
    const { commandId } = await bus.send(PAYMENTS, 'Charge', {}, { delaySeconds: 3600 })
    await caller.getCommand(PAYMENTS, commandId)
    await caller.workers.list()
    await caller.figures.queues()
    expect(ages).toEqual([])
    await bus.cancel(PAYMENTS, commandId)
    expect(told.map(({ message }) => message)).toEqual(['lists and histories are read from the replica'])
    // the server counts what a session did when it ends
    await own.close()
    await expect(own.queryCommands()).rejects.toThrow('this bus was closed')
    expect(told).toHaveLength(1)
    const { failed } = await until(
      async () =>
        (
          await pair.standby.query(`select xact_rollback::int as failed, xact_commit::int as made
            from pg_stat_database where datname = current_database()`)
        ).rows[0],
      ({ made }) => made > Object.keys(reads).length,
    )
    // a statement that tried to write, or lacked a right, would have been rolled back
    expect(failed).toBe(0)
  })

  test('decides on the primary, and shows in lists what the replica has replayed', async () => {
    const id = await parked()
    const after = 'now'
    const stop = new AbortController()
    const events = await bus.as(operator).live({ after, signal: stop.signal })
    const next = events[Symbol.asyncIterator]().next()
    let heard = false
    void next.then(() => {
      heard = true
    })
    await whilePaused(async () => {
      const { commandId } = await bus.send(PAYMENTS, 'Charge', {}, { delaySeconds: 3600, correlationId: 'three' })
      await bus.troubleshooting.cancel(PAYMENTS, id, { operator: 'ann', reason: 'no longer wanted' })
      // lists are as old as the replica
      expect((await bus.queryCommands({ correlationId: 'three' })).items).toEqual([])
      expect((await bus.troubleshooting.list()).items.map(({ commandId }) => commandId)).toContain(id)
      expect((await bus.getAuditTrail(PAYMENTS, id)).map(({ eventType }) => eventType)).not.toContain('OPERATOR_CANCEL')
      // decisions are not
      await expect(bus.troubleshooting.retry(PAYMENTS, id, { operator: 'bob' })).rejects.toMatchObject({
        code: 'INVALID_OPERATION',
      })
      const plan = await bus.actions.dryRun({ action: 'cancel', filter: {}, reason: 'all of them', operator: 'bob' })
      expect(plan.total).toBe(1)
      // nor is one command, nor what the replica does not know at all
      expect(await bus.getCommand(PAYMENTS, id)).toMatchObject({ status: 'CANCELED' })
      expect((await bus.getHistory(PAYMENTS, commandId)).items).toHaveLength(1)
      const fresh = bus.as(operator, { signal: AbortSignal.timeout(10_000), fresh: true })
      expect((await fresh.queryCommands({ correlationId: 'three' })).items).toHaveLength(1)
      expect(heard).toBe(false)
    })
    // an event is told when the lists show it
    expect((await next).value).toMatchObject({ correlationId: 'three', type: 'CommandSent' })
    stop.abort()
    await until(
      () => bus.queryCommands({ correlationId: 'three' }),
      ({ items }) => items.length === 1,
    )
  })

  test('a search that the primary refuses is not made on the replica', async () => {
    const charges = { domain: PAYMENTS, commandType: 'Charge' }
    await bus.sensitive.add({ ...charges, path: 'amount' })
    await bus.search.declare({ ...charges, paths: ['amount'], operator: 'ann' })
    const clerk = bus.as({ subject: 'bob', tenant: null, roles: ['OPERATOR'] })
    const find = (path: string) => clerk.queryCommands({ domain: PAYMENTS, payload: { path, value: '5' } })
    await caughtUp()
    await expect(find('amount')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await whilePaused(async () => {
      await bus.search.drop({ ...charges, path: 'amount' })
      await expect(find('amount')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
      expect((await find('*')).items).toEqual([])
    })
  })

  describe('over HTTP', () => {
    let api: Served
    beforeAll(async () => {
      api = await serve(bus)
    })
    afterAll(() => api.app.close())

    test('a list says how old it is at most, and cache-control: no-cache reads what was just written', async () => {
      const token = await api.token(['OPERATOR', 'SENDER'])
      const listed = (headers = {}) => api.request('GET', '/commands?correlationId=four', { token, headers })
      await whilePaused(async () => {
        const body = { commandType: 'Charge', data: {}, delaySeconds: 3600, correlationId: 'four' }
        const sent = await api.request('POST', `/domains/${PAYMENTS}/commands`, { token, body })
        const old = await listed()
        expect(old.body.items).toEqual([])
        expect(Number(old.headers.get(AGE_HEADER))).toBeGreaterThan(0)
        const fresh = await listed({ 'cache-control': 'no-cache' })
        expect(fresh.body.items).toHaveLength(1)
        expect(fresh.headers.get(AGE_HEADER)).toBeNull()
        const one = await api.request('GET', `/domains/${PAYMENTS}/commands/${sent.body.commandId}`, { token })
        expect([one.status, one.headers.get(AGE_HEADER)]).toEqual([200, null])
      })
    })
  })

  test('reads from the primary while the replica is later than allowed, says so once, and goes back by itself', async () => {
    const told: Logged[] = []
    const strict = busOf({ maxReadLagMs: 1_000 }, told)
    try {
      await strict.ready()
      await usedBy(strict)
      await whilePaused(async () => {
        await strict.send(PAYMENTS, 'Charge', {}, { delaySeconds: 3600, correlationId: 'five' })
        await until(
          async () => strict.replica?.health().state,
          state => state === 'late',
        )
        expect(strict.replica?.health().lagSeconds).toBeGreaterThan(1)
        expect((await strict.queryCommands({ correlationId: 'five' })).items).toHaveLength(1)
        const check = replicaCheck(strict.replica?.health() as never)
        expect(check).toMatchObject({ status: 'degraded', state: 'late' })
        expect(check.reasons[0]).toMatch(
          /^the replica is (?!1 s)[\d.]+ s behind, and 1 s are allowed; lists .* from the primary/,
        )
      })
      await usedBy(strict)
      expect(told.map(({ level }) => level)).toEqual(['info', 'warn', 'info'])
      // an idle primary: nothing is replayed, and nothing is missing
      await until(
        async () =>
          (await pair.standby.query(`select now() - pg_last_xact_replay_timestamp() > interval '1.2 s' as yes`)).rows[0]
            .yes,
        yes => yes,
      )
      expect(strict.replica?.health()).toMatchObject({ state: 'used', reason: null })
      expect(strict.replica?.health().lagSeconds).toBeLessThan(0.5)
      const metrics = await createMetrics({ replica: () => strict.replica?.health() ?? null }).page()
      expect(metrics).toMatch(/commandbus_replica_used 1\n/)
      expect(metrics).toMatch(/commandbus_replica_lag_seconds 0(\.\d+)?\n/)
    } finally {
      await strict.close()
    }
  })

  test('reads from the primary while the replica is away or silent, also reads that have begun, and goes back', async () => {
    const told: Logged[] = []
    // a read under way is cut when the replica is found to be away: its own limit is longer than this test
    const other = busOf({ databaseTimeoutMs: 120_000, readTimeoutMs: 120_000 }, told)
    const state = (is: string) =>
      until(
        async () => other.replica?.health().state,
        now => now === is,
      )
    try {
      await other.queryCommands()
      await state('used')
      pair.line.refuse(true)
      expect((await other.queryCommands()).items).not.toEqual([])
      await state('away')
      expect(other.replica?.health().reason).toBe('the replica does not answer')
      pair.line.refuse(false)
      await state('used')

      await Promise.all([other.queryCommands(), other.queryCommands()])
      pair.line.silence()
      expect((await other.queryCommands()).items).not.toEqual([])
      await state('away')
      pair.line.silence(false)
      await state('used')
      // none of the connections from before is used again
      const ages: number[] = []
      const caller = other.as(operator, { signal: AbortSignal.timeout(10_000), onAge: age => void ages.push(age) })
      await caller.queryCommands({})
      expect(ages).toHaveLength(1)
      const turns = told.filter(({ message }) => !message.startsWith('a read failed'))
      expect(turns.map(({ level }) => level)).toEqual(['info', 'warn', 'info', 'warn', 'info'])
    } finally {
      await other.close()
    }
  })

  test('refuses a server that is no replica of the primary, and says so without its password', async () => {
    const alien = new URL(onDatabase(pair.primaryUrl, 'template1'))
    alien.password = 'topsecret'
    const foreign = busOf({ readDatabaseUrl: alien.href })
    const refusal = await foreign.queryCommands().catch((error: Error) => error)
    expect(refusal).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(String(refusal)).toMatch('is not a physical replica of the primary')
    expect(String(refusal)).not.toMatch('topsecret')
    await foreign.close()
    // the primary itself, or a standby that has taken over, gives right answers: it is no reason not to start
    const same = busOf({ readDatabaseUrl: pair.primaryUrl })
    expect((await same.queryCommands()).items).not.toEqual([])
    expect(same.replica?.health()).toMatchObject({ state: 'refused', reason: expect.stringMatching('accepts writes') })
    await same.close()
    const nowhere = busOf({ readDatabaseUrl: onDatabase(pair.replicaUrl, 'nowhere') })
    await nowhere.ready()
    expect(nowhere.replica?.health()).toMatchObject({
      state: 'away',
      reason: expect.stringMatching('the database named in DATABASE_READ_URL does not exist'),
    })
    await nowhere.close()

    const wrong: readonly (readonly [CommandBusOptions, RegExp])[] = [
      [{ readDatabaseUrl: 'mysql://ops:topsecret@h/d' }, /readDatabaseUrl: must be a connection string/],
      [{ readDatabaseUrl: 'postgres://ops:topsecret@h1,h2/d' }, /readDatabaseUrl: must name one server/],
      [{ maxReadLagMs: 10 }, /maxReadLagMs: must be a whole number of milliseconds from 1000 to 60000/],
    ]
    for (const [options, sentence] of wrong) {
      expect(() => busOf(options)).toThrow(sentence)
      expect(() => busOf(options)).not.toThrow('topsecret')
    }
    expect(() => createCommandBus({ databaseUrl: pair.primaryUrl, maxReadLagMs: 5_000 })).toThrow(
      'readDatabaseUrl only',
    )
  })

  test('a service reads its lists there, and works and stops as without one', async () => {
    const service = await startService(program, { DATABASE_URL: pair.primaryUrl, DATABASE_READ_URL: pair.replicaUrl })
    const headers = { authorization: `Bearer ${service.token}` }
    const json = async <A>(path: string) => (await (await fetch(service.url + path, { headers })).json()) as A
    const ready = await eventually(
      () => json<{ checks: { replica: { state: string } } }>('/health/ready'),
      ({ checks }) => checks.replica.state === 'used',
    )
    expect(ready.checks.replica).toMatchObject({ status: 'healthy', reasons: [] })
    const listed = await fetch(`${service.url}/api/v1/commands`, { headers })
    expect([listed.status, listed.headers.get(AGE_HEADER)]).toEqual([200, expect.stringMatching(/^\d/)])
    // a command of the demo, sent to the primary and handled there, is soon in the list of the replica
    const sent = await fetch(`${service.url}/api/v1/domains/demo/commands`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ commandType: 'Greet', data: { name: 'Ada' }, correlationId: 'six' }),
    })
    expect(sent.status).toBe(202)
    await eventually(
      () => json<{ items: { status: string }[] }>('/api/v1/commands?correlationId=six'),
      ({ items }) => items[0]?.status === 'COMPLETED',
    )
    service.signal('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  test('with the log in EventStoreDB, histories come from that log and lists from the replica', async () => {
    await pair.primary.query('create database elsewhere')
    const superuser = new pg.Pool({ connectionString: onDatabase(pair.superUrl, 'elsewhere') })
    await prepare(superuser)
    await superuser.end()
    const double = await startTestDouble()
    const other = busOf({
      databaseUrl: onDatabase(pair.primaryUrl, 'elsewhere'),
      readDatabaseUrl: onDatabase(pair.replicaUrl, 'elsewhere'),
      eventStoreUrl: double.url,
      waitForDispatchMs: 60_000,
    })
    try {
      await other.ready()
      await usedBy(other)
      await whilePaused(async () => {
        const sent = await other.send(PAYMENTS, 'Charge', {}, { correlationId: 'seven' })
        expect(sent.msgId).not.toBeNull()
        expect((await other.queryCommands({ correlationId: 'seven' })).items).toEqual([])
        expect((await other.getHistory(PAYMENTS, sent.commandId)).items).toHaveLength(1)
      })
      expect((await other.queryCommands({ correlationId: 'seven' })).items).toHaveLength(1)
    } finally {
      await other.close()
      await double.stop()
    }
  })

  test('the doctor looks at the replica', async () => {
    const pool = createPool(pair.primaryUrl, 1)
    try {
      expect(await checkReplica(pair.replicaUrl, pool)).toMatchObject({ status: 'healthy', state: 'used', reasons: [] })
      expect(await checkReplica(pair.primaryUrl, pool)).toMatchObject({ status: 'degraded', state: 'refused' })
      const looking = await whilePaused(async () => {
        await pair.primary.query('create table newer()')
        const found = checkReplica(pair.replicaUrl, pool)
        // a replica that is a little behind is looked at until it has come so far
        expect(await Promise.race([found, delay(700, 'still looking')])).toBe('still looking')
        return { found }
      })
      expect(await looking.found).toMatchObject({ status: 'healthy', state: 'used' })
    } finally {
      await pool.end()
    }
  })
})
