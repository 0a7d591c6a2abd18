import { describe, expect, test } from 'vitest'
import {
  BusinessRuleError,
  PermanentCommandError,
  TransientCommandError,
} from '../../src/application/commands/command-errors.ts'
import type { Json } from '../../src/domain/json/json.ts'
import { behave, behaviorOf } from '../../src/infrastructure/demo/behavior.ts'
import { demoCommands, demoHandlers } from '../../src/infrastructure/demo/index.ts'
import { createTestBus } from '../support/bus.ts'

const { signal } = new AbortController()
const attempt = (behavior: Json, totalAttempts = 1) => behave(behaviorOf({ behavior }), { totalAttempts, signal })

describe('a demo command', () => {
  test('completes without a behavior, whatever its payload', async () => {
    for (const payload of [null, 5, 'text', [], {}, { behavior: null }, { amount: 5 }] as const) {
      expect(await behave(behaviorOf(payload), { totalAttempts: 1, signal })).toEqual({ ok: true })
    }
  })

  test('completes with the given result, which may be null', async () => {
    expect(await attempt({ result: { charged: 5 } })).toEqual({ charged: 5 })
    expect(await attempt({ result: null })).toBe(null)
  })

  test('fails with a transient error in the first attempts of its whole life, and then completes', async () => {
    await expect(attempt({ failTransientTimes: 2 }, 1)).rejects.toThrow(TransientCommandError)
    await expect(attempt({ failTransientTimes: 2 }, 2)).rejects.toMatchObject({ code: 'DEMO_TRANSIENT' })
    expect(await attempt({ failTransientTimes: 2 }, 3)).toEqual({ ok: true })
  })

  test('fails permanently, or by a business rule, with the given code and message', async () => {
    const told = { errorCode: 'NO', errorMessage: 'never' }
    await expect(attempt({ permanent: true, ...told })).rejects.toThrow(PermanentCommandError)
    await expect(attempt({ permanent: true, ...told })).rejects.toMatchObject({ code: 'NO', message: 'never' })
    await expect(attempt({ businessRule: true, ...told })).rejects.toThrow(BusinessRuleError)
    await expect(attempt({ failTransientTimes: 1, permanent: true }, 1)).rejects.toThrow(TransientCommandError)
    await expect(attempt({ failTransientTimes: 1, permanent: true }, 2)).rejects.toThrow(PermanentCommandError)
  })

  test('takes the given time, and stops when its signal is aborted', async () => {
    const stop = new AbortController()
    const long = behave({ durationMs: 60_000 }, { totalAttempts: 1, signal: stop.signal })
    stop.abort()
    await expect(long).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(await attempt({ durationMs: 1 })).toEqual({ ok: true })
  })

  test.each([{ failTransientTimes: -1 }, { durationMs: 1.5 }, { permanent: 'yes' }, { errorCode: 5 }, 'crash'])(
    'fails permanently when its behavior is %j',
    async behavior => {
      expect(() => behaviorOf({ behavior })).toThrow(PermanentCommandError)
      expect(() => behaviorOf({ behavior })).toThrow(/expected/)
    },
  )
})

test('the demo commands end as intended, and are sent once', async () => {
  const { bus, work, until } = await createTestBus()
  expect((await bus.sendBatch('demo', demoCommands)).map(({ outcome }) => outcome)).toEqual(Array(4).fill('accepted'))
  expect((await bus.sendBatch('demo', demoCommands)).map(({ outcome }) => outcome)).toEqual(Array(4).fill('duplicate'))
  await work({ domain: 'demo', handlers: demoHandlers })
  const statuses = async () => {
    const commands = await Promise.all(demoCommands.map(({ commandId }) => bus.getCommand('demo', commandId ?? '')))
    return commands.map(command => `${command?.status} after ${command?.totalAttempts}`)
  }
  const ends = ['COMPLETED after 1', 'COMPLETED after 2', 'FAILED after 1', 'IN_TROUBLESHOOTING_QUEUE after 2']
  await until(statuses, now => now.every((status, i) => status === ends[i]))
})
