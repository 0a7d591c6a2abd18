import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../../src/infrastructure/proof/chain/finding.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })

describe('commandbus lanes and limits', () => {
  test('F6: lanes are listed, shown and set, and seen as they were', async () => {
    const setup = await createTestBus()
    const { commandId } = await setup.bus.send('shop', 'Ship', {}, { key: 'order 17' })
    await setup.bus.send('shop', 'Ship', {}, { key: 'order 17' })
    const list = await program.run(['lanes', 'list'], on(setup))
    expect(list).toMatchObject({ code: 0, stderr: '' })
    expect(list.stdout).toMatch(/order 17 +1 +hold +1 +1 /)
    const set = ['lanes', 'set', 'shop', 'order 17', '--width', '3', '--rate', '2.5', '--on-park', 'pass']
    const changed = await program.run([...set, '--operator', 'ann'], on(setup))
    expect(changed.stdout).toMatch(/Width +3\n.*\n|Rate +2.5 a second/)
    const at = new Date(Date.now() + 1).toISOString()
    await new Promise(resolve => setTimeout(resolve, 5))
    await program.run(['lanes', 'set', 'shop', 'order 17', '--width', '1'], on(setup))
    expect((await program.run(['lanes', 'show', 'shop', 'order 17', '--json'], on(setup))).json()).toMatchObject({
      width: 1,
      ratePerSecond: null,
      running: [commandId],
      waiting: 1,
    })
    expect((await program.run(['lanes', 'list', '--at', at, '--json'], on(setup))).json()).toMatchObject({
      items: [{ lane: 'order 17', width: 3, ratePerSecond: 2.5, onPark: 'pass', updatedBy: 'ann' }],
    })
  })

  test('F6: rules are listed, set and removed, and what is wrong is one sentence', async () => {
    const setup = await createTestBus()
    const set = ['limits', 'set', 'shop', 'charges', '--by', 'type', '--type', 'Charge', '--width', '5']
    expect((await program.run(set, on(setup))).stdout).toMatch(/charges +Charge +type +5 +pass/)
    expect((await program.run(['limits', 'list'], on(setup))).stdout).toMatch(/shop +charges +Charge +type +5 +pass/)
    const removed = await program.run(['limits', 'delete', 'shop', 'charges'], on(setup))
    expect(removed).toMatchObject({ code: 0, stdout: 'Limit charges is removed.\n' })
    expect(await setup.bus.limits.list()).toEqual([])
    const wrong = [
      [['lanes', 'set', 'shop', 'a', '--width', '0'], 'width: must be a whole number from 1 to 1000, not 0'],
      [['lanes', 'set', 'shop', 'a', '--width', '1', '--rate', 'x'], '--rate must be a number'],
      [['limits', 'delete', 'shop', 'a'], "domain 'shop' has no limit 'a'"],
    ] as const
    const refused = await Promise.all(wrong.map(([args]) => program.run([...args], on(setup))))
    expect(refused.map(({ stderr }) => stderr)).toEqual(wrong.map(([, message]) => expect.stringContaining(message)))
    expect(refused.every(({ code }) => code !== 0)).toBe(true)
  })

  test('F8: verify --lanes is silent about a log in order, and finds an inversion', async () => {
    const setup = await createTestBus()
    const { bus, pool, work, until } = setup
    await bus.lanes.set('shop', 'b', { width: 2 })
    const sent = await bus.sendBatch(
      'shop',
      Array.from({ length: 12 }, (_, n) => ({ commandType: 'Ship', data: { n }, key: n % 3 === 0 ? 'b' : 'a' })),
    )
    const worker = await work({ domain: 'shop', handlers: { Ship: () => ({}) }, concurrency: 4 })
    await until(
      () => bus.queryCommands({ status: 'COMPLETED', limit: 100 }),
      ({ items }) => items.length === sent.length,
    )
    await worker.stop()
    const env = {
      DATABASE_URL: setup.database.url,
      COMMANDBUS_PROOF_KEY: randomBytes(32).toString('base64url'),
      COMMANDBUS_HOME: await program.newHome(),
    }
    const clean = await program.run(['verify', '--lanes'], { env })
    expect(clean).toMatchObject({ code: 0, stderr: '' })
    expect(clean.stdout).toMatch(/No problems found[\s\S]*Lanes +12 begun commands of lanes, in \d+ events/)

    // as if the second of a lane had begun before the first
    const { rows } = await pool.query<{ stream: string; position: string }>(
      `select stream, position from command_bus_event
       where type = 'CommandReceived' and meta#>>'{context,lane}' = 'a' order by position limit 2`,
    )
    const [first, second] = rows
    const client = new pg.Client(setup.database.url)
    await client.connect()
    await client.query('alter table command_bus_event alter position drop identity')
    await client.query('set session_replication_role = replica')
    await client.query(
      `update command_bus_event set position = case position when $1::bigint then $2::bigint else $1::bigint end where position in ($1, $2)`,
      [first?.position, second?.position],
    )
    await client.end()
    const inverted = await program.run(['verify', '--lanes', '--json'], { env })
    expect(inverted.code).toBe(1)
    const { findings } = inverted.json() as unknown as { findings: readonly Finding[] }
    expect(findings.filter(({ kind }) => kind === 'lane')[0]).toMatchObject({
      stream: second?.stream,
      revision: 1,
      message: expect.stringMatching(/^event 1 begins the command before .*, which was sent earlier in lane 'a'$/),
    })
  })
})
