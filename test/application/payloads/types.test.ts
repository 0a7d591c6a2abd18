import { type } from 'arktype'
import * as t from 'io-ts'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type CommandBus,
  type DefinedCommand,
  defineCommand,
  defineHandler,
  type Json,
  type SentCommand,
} from '../../../src/index.ts'

const codec = t.type({ amount: t.number, note: t.union([t.string, t.undefined]) })
const byZod = z.object({ amount: z.number(), due: z.iso.datetime().transform(text => new Date(text)) })
const byValibot = v.object({
  amount: v.number(),
  due: v.pipe(
    v.string(),
    v.transform(text => new Date(text)),
  ),
})
const byArktype = type({ amount: 'number', due: 'string.date.iso.parse' })

interface Sent {
  amount: number
  due: string
}
interface Received {
  amount: number
  due: Date
}

// only compiled: these are the checks
const sends = async (bus: CommandBus): Promise<void> => {
  const [ofZod, ofValibot, ofArktype] = [
    defineCommand('payments', 'Charge', byZod),
    defineCommand('payments', 'Charge', byValibot),
    defineCommand('payments', 'Charge', byArktype),
  ]
  const due = '2026-12-01T00:00:00.000Z'
  expectTypeOf(await bus.send(ofZod, { amount: 1, due })).toEqualTypeOf<SentCommand>()
  await bus.send(ofValibot, { amount: 1, due }, { priority: 'high' })
  await bus.request(ofArktype, { amount: 1, due }, { timeoutMs: 5_000 })
  // @ts-expect-error a text where a number belongs
  await bus.send(ofZod, { amount: '1', due })
  // @ts-expect-error the handler's type where the sender's belongs
  await bus.send(ofValibot, { amount: 1, due: new Date() })
  // @ts-expect-error a member is missing
  await bus.request(ofArktype, { amount: 1 })
  // @ts-expect-error an option that does not exist
  await bus.send(ofZod, { amount: 1, due }, { prioriy: 'high' })
  // @ts-expect-error no payload
  await bus.send(ofZod)
  // @ts-expect-error the call of a definition is checked, too
  ofArktype({ amount: true, due })
  await bus.sendBatch('payments', [ofZod({ amount: 1, due }), { ...ofValibot({ amount: 2, due }), key: 'customer-7' }])
  await bus.schedules.set('nightly', { ...ofZod({ amount: 1, due }), cron: '30 2 * * *' })
  // by name, as ever
  expectTypeOf((await bus.request<{ charged: number }>('payments', 'Charge', { any: 'thing' })).data).toEqualTypeOf<{
    charged: number
  }>()
  expectTypeOf((await bus.request('payments', 'Charge', 1)).data).toEqualTypeOf<Json>()
}

describe('K2: payloads are typed', () => {
  test('K2: a handler receives what its codec or schema makes of the payload', () => {
    defineHandler({ payload: codec, handle: data => expectTypeOf(data).toEqualTypeOf<t.TypeOf<typeof codec>>() })
    defineHandler({ payload: byZod, handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    defineHandler({ payload: byValibot, handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    defineHandler({ payload: byArktype, handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    defineHandler({
      payload: byZod,
      transactional: true,
      handle: ({ due }, { command }) => {
        expectTypeOf(due).toEqualTypeOf<Date>()
        expectTypeOf(command.data).toEqualTypeOf<Received>()
      },
    })
    // @ts-expect-error the schema has no such member
    defineHandler({ payload: byArktype, handle: ({ amuont }) => amuont })
    // @ts-expect-error the schema has no such member
    defineHandler({ payload: byValibot, handle: ({ amuont }) => amuont })
    // @ts-expect-error neither a codec nor a schema
    defineHandler({ payload: { parse: () => 1 }, handle: () => null })
    expect.assertions(0)
  })

  test('K2: a handler takes the type of its command', () => {
    const commands = [
      defineCommand('payments', 'Charge', byZod),
      defineCommand('payments', 'Charge', byValibot),
      defineCommand('payments', 'Charge', byArktype),
    ] as const
    defineHandler({ command: commands[0], handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    defineHandler({ command: commands[1], handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    defineHandler({ command: commands[2], handle: data => expectTypeOf(data).toEqualTypeOf<Received>() })
    expectTypeOf(commands[0]).returns.toEqualTypeOf<DefinedCommand<Sent>>()
    expectTypeOf(commands[1]).returns.toEqualTypeOf<DefinedCommand<Sent>>()
    expectTypeOf(commands[2]).returns.toEqualTypeOf<DefinedCommand<Sent>>()
    // @ts-expect-error the command's schema has no such member
    defineHandler({ command: commands[0], handle: ({ amuont }) => amuont })
    expectTypeOf(sends).returns.resolves.toEqualTypeOf<void>()
  })

  test('K2: an io-ts codec is sent as what it encodes to', () => {
    const date = new t.Type<Date, string, unknown>(
      'date',
      (value): value is Date => value instanceof Date,
      (value, context) => (typeof value === 'string' ? t.success(new Date(value)) : t.failure(value, context)),
      given => given.toISOString(),
    )
    const remind = defineCommand('mail', 'Remind', t.type({ at: date }))
    expectTypeOf(remind).parameter(0).toEqualTypeOf<{ at: string }>()
    defineHandler({ command: remind, handle: ({ at }) => expectTypeOf(at).toEqualTypeOf<Date>() })
    expect(remind({ at: '2026-12-01' })).toEqual({ domain: 'mail', commandType: 'Remind', data: { at: '2026-12-01' } })
  })
})
