import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { archiveOld } from '../../../src/infrastructure/proof/archive/archive.ts'
import { parseSigner, type Signer } from '../../../src/infrastructure/proof/chain/keys.ts'
import { createTestActions, parkMany } from '../../support/actions.ts'
import { createTestBus, type TestBus, until } from '../../support/bus.ts'

const jane = { operator: 'jane' }

/** STOP_RACES=20 was run by hand. */
const races = Number(process.env.STOP_RACES ?? 5)

const workPayments = ({ work }: Pick<TestBus, 'work'>) =>
  work({
    domain: 'payments',
    handlers: {
      Charge: data => {
        if ((data as { readonly bad?: true }).bad) throw new PermanentCommandError('CARD_DECLINED', 'again')
      },
    },
  })

/** Moves the commands that have ended into a file. */
const archiveEnded = async ({ pool, bus }: TestBus): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-campaign-'))
  const signer = parseSigner(randomBytes(32).toString('base64url')) as Signer
  try {
    const archive = { pool, signer, directory, by: 'jane', now: () => new Date() }
    // a transaction of another test on the same server may hold it up
    await until(
      async () => {
        await archiveOld({ ...archive, before: new Date(Date.now() + 60_000) })
        return bus.queryCommands({ status: 'COMPLETED' })
      },
      ({ items }) => items.length === 0,
    )
  } finally {
    await rm(directory, { recursive: true })
  }
}

describe('the rule of a campaign', () => {
  test('O1: a share of the last stage is one of all its commands, not of the first few', async () => {
    const setup = await createTestBus()
    const { pool } = setup
    await parkMany(pool, 1, { at: '2026-01-01T00:00:00Z', data: { bad: true } })
    await parkMany(pool, 9)
    await workPayments(setup)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({
      ...jane,
      action: 'retry',
      filter: {},
      ratePerSecond: 1,
      stopWhen: { share: 0.2 },
    })
    const first = new AbortController()
    const began = actions.runOne(actionId, {
      signal: first.signal,
      onProgress: ({ succeeded }) => void (succeeded > 0 && first.abort()),
    })
    expect((await began).succeeded).toBe(1)
    await until(
      () => actions.get(actionId),
      view => view?.became?.parkedAgain === 1,
    )
    await pool.query(`update command_bus_action set campaign = campaign - 'ratePerSecond'`)
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 10 })
  })

  test('O1: a stage ends, and the rest is counted, also when its commands were archived before anybody looked', async () => {
    const setup = await createTestBus()
    const { pool } = setup
    await parkMany(pool, 4)
    const actions = createTestActions(pool)
    const options = { ...jane, action: 'retry', filter: {}, stages: [50, 100], stopWhen: { failures: 1 } } as const
    const { actionId } = await actions.start(options)
    const sent = new AbortController()
    await actions.runOne(actionId, {
      signal: sent.signal,
      onProgress: ({ succeeded }) => void (succeeded === 2 && sent.abort()),
    })
    await actions.pause(actionId, jane)
    const worker = await workPayments(setup)
    await until(
      () => setup.bus.queryCommands({ status: 'COMPLETED' }),
      ({ items }) => items.length === 2,
    )
    await worker.stop()
    await archiveEnded(setup)
    expect(await actions.resume(actionId, jane)).toMatchObject({ stage: 1, succeeded: 2 })
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 4 })
    expect((await actions.get(actionId))?.became).toMatchObject({ completed: 2, running: 2 })
  })

  test('O1: what became of a retry is recorded before its events are archived, as it was', async () => {
    const setup = await createTestBus()
    const { pool, bus } = setup
    const [id = ''] = await parkMany(pool, 1, { data: { bad: true } })
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    await actions.runOne(actionId)
    await workPayments(setup)
    await until(
      () => bus.getCommand('payments', id),
      found => found?.status === 'IN_TROUBLESHOOTING_QUEUE',
    )
    await bus.troubleshooting.complete('payments', id, jane)
    await archiveEnded(setup)
    expect((await actions.get(actionId))?.became).toMatchObject({ completed: 0, parkedAgain: 1, running: 0 })
  })

  test('O1: an action goes on at its rate when the clock of the database was set back', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 20)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, ratePerSecond: 100 })
    await pool.query(`update command_bus_action set tokens_at = clock_timestamp() + interval '1 hour'`)
    expect(await actions.runOne(actionId, { signal: AbortSignal.timeout(5_000) })).toMatchObject({
      status: 'COMPLETED',
      succeeded: 20,
    })
  })
})

describe('an operator and a runner at the same time', () => {
  test(`O1: in ${races} races what a stop says was done is what was done, and nothing after it`, async () => {
    const { pool } = await createTestBus()
    const actions = createTestActions(pool)
    for (let race = 0; race < races; race++) {
      const domain = `d${race}`
      await parkMany(pool, 30, { domain })
      const { actionId } = await actions.start({
        ...jane,
        action: 'cancel',
        reason: 'gone',
        filter: { domain },
        ratePerSecond: 10_000,
        undoSeconds: race % 4 === 0 ? 1 : 0,
      })
      const { startsAt } = (await actions.get(actionId)) as { startsAt: string | null }
      const begin = startsAt === null ? 0 : Math.max(0, Date.parse(startsAt) - Date.now())
      const wait = (ms: number) => new Promise(done => setTimeout(done, ms))
      const [, stopped] = await Promise.all([
        actions.runOne(actionId),
        wait(begin + (race % 5) * 4).then(() => actions.stop(actionId, { operator: 'joe' })),
      ])
      const again = await actions.stop(actionId, { operator: 'ann', reason: 'once more' })
      const { rows } = await pool.query(
        `select count(*)::int as n from command_bus_event where type = 'OperatorCanceled' and stream like $1`,
        [`command-${domain}-%`],
      )
      expect(again).toMatchObject({ status: stopped.status, note: stopped.note, succeeded: rows[0].n })
      expect(stopped.succeeded).toBe(rows[0].n)
      expect(stopped.succeeded + stopped.skipped).toBe(30)
    }
  })

  test('O1: 20 readers that record at the same time what became of a retry count each command once', async () => {
    const setup = await createTestBus()
    const { pool } = setup
    await parkMany(pool, 300)
    await parkMany(pool, 30, { data: { bad: true } })
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    await actions.runOne(actionId)
    await workPayments(setup)
    const became = { completed: 300, parkedAgain: 30, failed: 0, canceled: 0, running: 0 }
    await until(
      () => Promise.all(Array.from({ length: 20 }, () => actions.get(actionId))),
      views => views.every(view => view?.became?.running === 0),
    )
    expect((await actions.get(actionId))?.became).toEqual(became)
  })
})
