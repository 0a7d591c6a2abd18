import { describe, expect, test } from 'vitest'
import { PlanChangedError } from '../../../src/index.ts'
import { createTestActions, parkMany } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'

const jane = { operator: 'jane' }
const joe = { operator: 'joe' }

/** PLAN_RACES=1000 for all of the row. */
const races = Number(process.env.PLAN_RACES ?? 60)

/** The same every time. */
const dice = (seed: number) => {
  let last = seed
  return () => {
    last = (last * 16_807) % 2_147_483_647
    return last / 2_147_483_647
  }
}

const tomorrow = new Date(Date.now() + 86_400_000).toISOString()

describe('the plan of a dry run', () => {
  test(`O2: ${races} races of a plan against a change: never carried out when anything moved, always when nothing did`, {
    timeout: 120_000 + races * 500,
  }, async () => {
    const { bus, pool } = await createTestBus()
    const actions = createTestActions(pool)
    const random = dice(7)
    const seen = new Map<string, number>()
    for (let race = 0; race < races; race++) {
      const errorCode = `CAUSE_${race}`
      const [first = '', second = ''] = await parkMany(pool, 3, { errorCode })
      const options = { ...jane, action: 'retry', filter: { errorCode } } as const
      const { planToken } = await bus.actions.dryRun(options)
      const changes: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['nothing', async () => {}],
        ['elsewhere', () => parkMany(pool, 1, { errorCode: 'ANOTHER' })],
        ['added', () => parkMany(pool, 1, { errorCode })],
        ['gone', () => bus.troubleshooting.complete('payments', first, joe)],
        ['moved', () => bus.troubleshooting.snooze('payments', second, { ...joe, until: tomorrow })],
      ]
      const [name, change] = changes[Math.floor(random() * changes.length)] as (typeof changes)[number]
      const together = random() < 0.4
      const start = () =>
        actions.start({ ...options, planToken }).then(
          ({ actionId }) => actionId,
          (error: unknown) => error as PlanChangedError,
        )
      let before = false
      if (!together) {
        await change()
        before = true
      }
      const [answer] = await Promise.all([start(), before ? undefined : change()])
      const isHarmless = name === 'nothing' || name === 'elsewhere'
      const key = `${name} ${together ? 'together' : 'before'} ${typeof answer === 'string' ? 'done' : 'refused'}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      if (typeof answer !== 'string') {
        expect(answer, key).toBeInstanceOf(PlanChangedError)
        expect(isHarmless, key).toBe(false)
        if (!together)
          expect(
            answer.changes.map(one => one.change),
            key,
          ).toEqual([name])
        continue
      }
      // the change came after the check, if at all: what was added is not taken, and what moved since is skipped
      if (!together) expect(isHarmless, key).toBe(true)
      const done = await actions.runOne(answer)
      expect(done.total, key).toBe(3)
      const { rows } = await pool.query(
        `select count(*)::int as wrong from command_bus_action_item i join command_bus_event e
           on e.stream = command_bus_command_stream(i.domain, i.command_id) and e.type = 'OperatorRetried'
         where i.action_id = $1 and e.revision <> i.revision + 1`,
        [answer],
      )
      expect(rows, key).toEqual([{ wrong: 0 }])
      if (isHarmless) expect(done, key).toMatchObject({ succeeded: 3, skipped: 0 })
    }
    if (process.env.PLAN_RACES !== undefined) console.log(Object.fromEntries([...seen].sort()))
    for (const key of ['nothing before done', 'added before refused', 'gone before refused', 'moved before refused']) {
      expect(seen.get(key) ?? 0, key).toBeGreaterThan(0)
    }
  })

  test('O2: of one command it is carried out on that command as it was, with these options, or not at all', async () => {
    const { bus, pool } = await createTestBus()
    const random = dice(3)
    for (let race = 0; race < races / 4; race++) {
      const [id = ''] = await parkMany(pool, 1)
      const options = { ...jane, data: { amount: race } }
      const { planToken = '' } = await bus.troubleshooting.retry('payments', id, { ...options, dryRun: true })
      const other = () => bus.troubleshooting.complete('payments', id, joe).catch(() => null)
      const act = () =>
        bus.troubleshooting.retry('payments', id, { ...options, planToken }).catch((error: unknown) => error)
      const kind = Math.floor(random() * 3)
      if (kind === 0) expect(await act()).toMatchObject({ status: 'PENDING' })
      else if (kind === 1) {
        await other()
        expect(await act()).toMatchObject({ code: 'PLAN_CHANGED', changes: [{ commandId: id, change: 'gone' }] })
      } else {
        const [answer, completed] = await Promise.all([act(), other()])
        expect(answer).toMatchObject(completed === null ? { status: 'PENDING' } : { code: 'PLAN_CHANGED' })
      }
    }
    const [id = ''] = await parkMany(pool, 1)
    const { planToken = '' } = await bus.troubleshooting.cancel('payments', id, { ...jane, reason: 'a', dryRun: true })
    await expect(bus.troubleshooting.cancel('payments', id, { ...jane, reason: 'b', planToken })).rejects.toThrow(
      'the plan was made with other options; nothing was done',
    )
    await expect(bus.troubleshooting.retry('payments', id, { ...jane, planToken })).rejects.toThrow(PlanChangedError)
    await bus.troubleshooting.snooze('payments', id, { ...joe, until: tomorrow })
    await expect(bus.troubleshooting.cancel('payments', id, { ...jane, reason: 'a', planToken })).rejects.toMatchObject(
      { code: 'PLAN_CHANGED', changes: [{ change: 'moved' }] },
    )
  })

  test('O2: of named commands it is refused when one of them has changed, and with other options', async () => {
    const { bus, pool } = await createTestBus()
    const [a = '', b = ''] = await parkMany(pool, 2)
    const { commandId: pending } = await bus.send('payments', 'Charge', {})
    const ids = [a, b, pending].map(commandId => ({ domain: 'payments', commandId }))
    const options = { ...jane, action: 'retry', ids } as const
    const { planToken } = await bus.actions.dryRun(options)
    await expect(bus.actions.start({ ...options, resetAttempts: false, planToken })).rejects.toThrow('other options')
    await bus.cancel('payments', pending)
    await expect(bus.actions.start({ ...options, planToken })).rejects.toThrow(PlanChangedError)
    expect((await bus.actions.list()).items).toEqual([])
    const next = await bus.actions.dryRun(options)
    // another operator may carry it out
    expect(await bus.actions.start({ ...options, ...joe, planToken: next.planToken })).toMatchObject({ total: 3 })
  })
})
