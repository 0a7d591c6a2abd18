import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import {
  foisted,
  longestWait,
  readLedger,
  storyOf,
  trespasses,
  undoneOf,
  wrongReplies,
} from '../support/hostile/aftermath.ts'
import { createAsker } from '../support/hostile/ask.ts'
import { createHonestCalls } from '../support/hostile/honest-calls.ts'
import { createHonestLoad, LONGEST_WAIT_MS } from '../support/hostile/honest-load.ts'
import { createHostileStream } from '../support/hostile/hostile-stream.ts'
import { type Honest, honest, hostile, tokenOf, tokensOf } from '../support/hostile/people.ts'
import { createPrey } from '../support/hostile/prey.ts'
import { countTables, openFiles, watchResources } from '../support/hostile/resources.ts'
import { SECRET } from '../support/http.ts'
import { collect, useProgram } from '../support/servers/cli.ts'
import { eventually, startService } from '../support/servers/service.ts'

/** `HOSTILE_SECONDS=3600` for an hour; `HOSTILE_SEED` for the calls of another time. */
const SECONDS = Number(process.env.HOSTILE_SECONDS ?? 8)
const SEED = Number(process.env.HOSTILE_SEED ?? randomInt(1_000_000))

/** The stated limit: no honest call waits longer. */
const LONGEST_CALL_MS = 30_000
const QUEUES = 60
const QUEUES_A_CALLER = 10
/** Queues of the honest users: commands of three domains, and replies of two. */
const HONEST_QUEUES = 5
const QUEUES_MADE = Math.min(QUEUES, HONEST_QUEUES + 2 * QUEUES_A_CALLER * Math.ceil(SECONDS / 3_600))
/** Two tables for each queue. */
const TABLES_MADE = 2 * QUEUES_MADE
const LIVE_READERS = 20
/** 10 for sends and work of the service, 4 for reads, 3 of the background check, 2 for health, and as many again for the worker. */
const CONNECTIONS = 45
const MEGABYTES = 768

const program = useProgram()
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test(
  'G1-G14: an hour beside hostile callers: honest ones lose nothing and wait no longer than stated, and nothing grows without bound',
  async () => {
    console.info(`the seed of this hostile hour is ${SEED}`)
    const database = await createTestDatabase()
    closing.push(() => database.drop())
    const tablesBefore = await countTables(database.pool)
    const place = await mkdtemp(join(tmpdir(), 'commandbus-hostile-'))
    closing.push(() => rm(place, { recursive: true, force: true }))
    const ledger = join(place, 'ledger')
    const env = {
      DATABASE_URL: database.url,
      COMMANDBUS_JWT_SECRET: SECRET,
      COMMANDBUS_MAX_QUEUES: String(QUEUES),
      COMMANDBUS_NEW_QUEUES_PER_HOUR: String(QUEUES_A_CALLER),
      COMMANDBUS_LIVE_READERS_PER_TOKEN: String(LIVE_READERS),
      LOG_LEVEL: 'warn',
    }
    const service = await startService(program, env, [])
    const handlers = fileURLToPath(new URL('../support/hostile/handlers.mjs', import.meta.url))
    const worker = program.launch(['worker', '--handlers', handlers], {
      env: { ...env, LEDGER: ledger, COMMANDBUS_INDEX: join(program.directory, 'dist', 'index.js') },
    })

    // an unread pipe would block it
    collect(worker)

    const life = SECONDS + 3_600
    const tokens = await tokensOf(honest, life)
    const askers = Object.fromEntries(
      Object.entries(tokens).map(([name, token]) => [name, createAsker(service.url, token)]),
    ) as Record<Honest, ReturnType<typeof createAsker>>
    closing.push(async () => Object.values(askers).map(asker => asker.close()))
    const prey = createPrey()
    const calls = createHonestCalls(askers)
    const load = createHonestLoad(calls, prey)
    await load.begin()
    for (const doing of load.doings) await doing()

    const stream = createHostileStream({
      url: service.url,
      seed: SEED,
      tokens: await tokensOf(hostile, life),
      badTokens: await badTokens(),
      prey,
    })
    closing.push(() => stream.leave())
    const filesBefore = await openFiles(service.pid)
    const watched = watchResources(database.pool, service.pid)
    closing.push(watched.stop)
    const end = performance.now() + SECONDS * 1_000
    const goesOn = () => performance.now() < end || stream.untried().length > 0
    await Promise.all([
      stream.run(goesOn),
      ...load.doings.map(async doing => {
        while (goesOn()) {
          await doing()
          await delay(20)
        }
      }),
    ])
    await eventually(
      async () => {
        await load.operate()
        return undoneOf(load.wanted, await readLedger(ledger))
      },
      undone => undone.length === 0 || calls.refused.length > 0 || performance.now() > end + LONGEST_WAIT_MS,
    )
    await stream.leave()
    const resources = await watched.stop()
    const done = await readLedger(ledger)
    console.info(
      JSON.stringify({
        honest: calls.count(),
        hostile: stream.tried(),
        wanted: load.wanted.done.size,
        p95: calls.quantile(0.95),
        slowest: calls.quantile(1),
        longest: longestWait(load.wanted, done),
        resources,
        codes: stream.codes(),
        tooManyReaders: stream.tooManyReaders(),
      }),
    )

    // the answers that the honest users got
    expect(calls.refused).toEqual([])

    // the answers that the hostile callers got
    expect(stream.faults()).toEqual([])
    expect(stream.untried()).toEqual([])
    expect(stream.codes()).toMatchObject({
      TOO_MANY_QUEUES: expect.any(Number),
      REPLY_QUEUE_REFUSED: expect.any(Number),
    })
    expect(stream.tooManyReaders()).toBeGreaterThan(0)

    // the answers that the honest users got
    expect(calls.refused).toEqual([])
    expect(await storyOf(database.pool, undoneOf(load.wanted, done))).toEqual([])
    expect(calls.quantile(1)).toBeLessThan(LONGEST_CALL_MS)
    expect(longestWait(load.wanted, done)).toBeLessThan(LONGEST_WAIT_MS)
    const credits = await calls.call('carol', { method: 'GET', path: '/credits' })
    expect(credits).toMatchObject({ purchased: load.wanted.credits, monthly: 0 })
    expect(await calls.call('bob', { method: 'GET', path: '/replies/undelivered' })).toMatchObject({ items: [] })

    // what is in the database
    expect(
      await eventually(
        () => wrongReplies(database.pool, load.wanted),
        wrong => wrong.length === 0,
      ),
    ).toEqual([])
    expect(await trespasses(database.pool)).toEqual([])
    expect(await foisted(database.pool, load.wanted)).toEqual([])
    const verified = await program.run(['verify', '--json'], { env: { ...env, COMMANDBUS_HOME: join(place, 'home') } })
    expect(verified.json().findings).toEqual([])
    expect(verified.code).toBe(0)

    // what it all took
    expect(resources.queues).toBeLessThanOrEqual(QUEUES_MADE)
    expect(resources.tables - tablesBefore).toBeLessThanOrEqual(TABLES_MADE)
    expect(resources.connections).toBeLessThanOrEqual(CONNECTIONS)
    expect(resources.megabytes).toBeLessThan(MEGABYTES)
    await eventually(
      () => openFiles(service.pid),
      files => files <= filesBefore + 10,
    )
    expect(service.log().filter(isFailure)).toEqual([])
  },
  SECONDS * 2_000 + 240_000,
)

/** A read that was ended at its time limit does not count. */
const isFailure = ({ level, err }: { readonly [field: string]: unknown }): boolean =>
  (level === 'error' || level === 'fatal') && (err as { code?: unknown } | undefined)?.code !== 'UNAVAILABLE'

/** Invalid tokens: expired, of another secret, unsigned, cut or invented. */
const badTokens = async (): Promise<readonly string[]> => {
  const past = await tokenOf(honest.bob, -60)
  const foreign = await tokenOf(honest.bob, 600, 'another secret, which nobody here has signed with ever')
  const [, claims] = foreign.split('.')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const unsigned = `${none}.${claims}.`
  return [past, foreign, unsigned, `${none}.${claims}.x`, foreign.slice(0, -2), 'x', `${'x.'.repeat(3_000)}x`, '']
    .map(token => `Bearer ${token}`)
    .concat('Basic Ym9iOmJvYg==', 'Bearer', 'bearer\tx', '')
}
