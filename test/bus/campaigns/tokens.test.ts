import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { printIn } from '../../../src/application/acting/plan-token.ts'
import { actionOf } from '../../../src/application/troubleshooting/action-input.ts'
import type { PlanChangedError } from '../../../src/index.ts'
import { createTestActions, parkMany, tracesOf } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'

const jane = { operator: 'jane' }
const joe = { operator: 'joe' }

const refusal = (call: Promise<unknown>) => call.then(() => null).catch((error: PlanChangedError) => error)

describe('a plan token', () => {
  test('O2: one that was tampered with is a changed plan, never a fault of the database', async () => {
    const { bus, pool } = await createTestBus()
    const [id = ''] = await parkMany(pool, 2)
    const options = { ...jane, action: 'retry', filter: {} } as const
    const { planToken } = await bus.actions.dryRun(options)
    await bus.troubleshooting.complete('payments', id, joe)
    const start = planToken.indexOf('.')
    for (const snapshot of ['0', ':::', ',', '9:1:5', '99999999999999999999:1:', '1:9223372036854775807:']) {
      const error = await refusal(
        bus.actions.start({ ...options, planToken: `${planToken.slice(0, start)}.${snapshot}` }),
      )
      expect(error, snapshot).toMatchObject({ code: 'PLAN_CHANGED' })
    }
    expect((await bus.actions.list()).items).toEqual([])
  })

  test('O2: its refusal tells a tenant nothing about the commands of another', async () => {
    const { bus, pool } = await createTestBus()
    const [mine = ''] = await parkMany(pool, 1, { tenantId: 'acme' })
    const [theirs = ''] = await parkMany(pool, 1, { tenantId: 'other' })
    const ids = [mine, theirs].map(commandId => ({ domain: 'payments', commandId }))
    const options = { ...jane, action: 'retry', ids, tenantId: 'acme' } as const
    const { planToken } = await bus.actions.dryRun(options)
    await bus.troubleshooting.complete('payments', mine, joe)
    await bus.troubleshooting.complete('payments', theirs, joe)
    const error = await refusal(bus.actions.start({ ...options, planToken }))
    expect(error?.changes).toEqual([{ domain: 'payments', commandId: mine, change: 'gone' }])
  })

  test('O2: an action whose answer was lost is found again, also when it has changed its commands meanwhile', async () => {
    const { pool } = await createTestBus()
    const actions = createTestActions(pool)
    for (const domain of ['payments', 'orders']) {
      const [commandId = ''] = await parkMany(pool, 1, { domain })
      const target = domain === 'orders' ? { ids: [{ domain, commandId }] } : { filter: { domain } }
      const action = {
        ...actionOf({ ...jane, action: 'retry', ...target }, new Date().toISOString()),
        id: randomUUID(),
      }
      const { print } = await actions.store.printOf(action, 1)
      expect(await actions.store.create(action, print)).toMatchObject({ id: action.id, total: 1 })
      await actions.runOne(action.id)
      expect(await actions.store.create(action, print)).toMatchObject({ id: action.id, succeeded: 1 })
      expect(await actions.store.create({ ...action, id: randomUUID() }, print)).toBeNull()
    }
  })

  test('O2: one that was made while very many transactions were open is still one', () => {
    const open = Array.from({ length: 1_000 }, (_, i) => 900_000_000 + 2 * i).join(',')
    const token = `${'0'.repeat(48)}.900000000:900002001:${open}`
    expect(printIn(token).snapshot).toHaveLength(token.length - 49)
  })

  test('O2: of 20 uses of one token at the same time, each command is acted on once', async () => {
    const { bus, pool } = await createTestBus()
    const actions = createTestActions(pool)
    const [id = ''] = await parkMany(pool, 10)
    const note = { ...jane, text: 'once' }
    const single = await bus.troubleshooting.note('payments', id, { ...note, dryRun: true })
    const many = Array.from({ length: 20 }, (_, i) => i)
    const noted = await Promise.all(
      many.map(i =>
        refusal(
          bus.troubleshooting.note('payments', id, { ...note, operator: `o${i}`, planToken: single.planToken ?? '' }),
        ),
      ),
    )
    expect(noted.filter(error => error === null)).toHaveLength(1)
    expect(new Set(noted.flatMap(error => (error === null ? [] : [error.code])))).toEqual(new Set(['PLAN_CHANGED']))

    const options = { ...jane, action: 'retry', filter: {} } as const
    const { planToken } = await bus.actions.dryRun(options)
    const begun = await Promise.all(many.map(() => actions.start({ ...options, planToken }).catch(() => null)))
    const done = await Promise.all(begun.map(view => (view === null ? null : actions.runOne(view.actionId))))
    expect(done.reduce((sum, view) => sum + (view?.succeeded ?? 0), 0)).toBe(10)
    expect((await tracesOf(pool)).audit.OPERATOR_RETRY).toEqual({ all: 10, commands: 10 })
  })
})
