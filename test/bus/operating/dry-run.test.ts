import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import { planTurns } from '../../../src/application/troubleshooting/dry-run.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { historyOf } from '../../../src/domain/command/history.ts'
import {
  type CommandBus,
  CommandNotFoundError,
  defineHandler,
  InvalidInputError,
  InvalidOperationError,
  InvalidPayloadError,
} from '../../../src/index.ts'
import { uuidIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { outbox } from '../../../src/projections/outbox.ts'
import { createMemoryEventStore } from '../../../src/testing/memory/event-store.ts'
import { createTestBus } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { life } from '../../support/lives/command-arbitraries.ts'
import {
  key,
  operatorCancel,
  operatorComplete,
  operatorRetry,
  recorded,
  stream,
} from '../../support/lives/command-life.ts'
import { parked } from '../../support/park.ts'

const UNKNOWN = '00000000-0000-4000-8000-00000000dead'

/** Runs a dry run and checks that the database has not changed. */
const dry = async <A>(
  { pool }: { readonly pool: Parameters<typeof fingerprint>[0] },
  ask: () => Promise<A>,
): Promise<A> => {
  const before = await fingerprint(pool)
  try {
    return await ask()
  } finally {
    expect(await fingerprint(pool)).toEqual(before)
  }
}

describe('a dry run of one action', () => {
  test('shows the state, messages and replies that the action then causes, and changes nothing', async () => {
    const setup = await createTestBus()
    const actions: readonly (readonly [string, (bus: CommandBus, id: string, dryRun: boolean) => Promise<object>])[] = [
      [
        'retry',
        (bus, id, dryRun) =>
          bus.troubleshooting.retry('payments', id, { operator: 'jane', data: { amount: 6 }, dryRun }),
      ],
      [
        'cancel',
        (bus, id, dryRun) => bus.troubleshooting.cancel('payments', id, { operator: 'jane', reason: 'gone', dryRun }),
      ],
      [
        'complete',
        (bus, id, dryRun) =>
          bus.troubleshooting.complete('payments', id, { operator: 'jane', resultData: { by: 'hand' }, dryRun }),
      ],
    ]
    for (const [name, act] of actions) {
      const id = await parked(setup, 'payments', { amount: 5 }, { replyTo: 'shop__replies' })
      const replies = (await setup.messages('shop__replies')).length
      const planned = (await dry(setup, () => act(setup.bus, id, true))) as {
        dryRun: never
        planToken: string
        status: string
      }
      const {
        dryRun: plan,
        planToken,
        ...answer
      } = planned as {
        dryRun: Record<string, unknown[]>
        planToken: string
        status: string
      }
      expect(planToken).toMatch(/^[0-9a-f]{48}\.2$/)
      const done = (await act(setup.bus, id, false)) as { status: string; msgId?: string }
      expect({ ...answer, msgId: undefined }).toEqual({ ...done, msgId: undefined })
      const last = (await setup.bus.getHistory('payments', id)).items.at(-1)
      expect(plan).toMatchObject({
        commandId: id,
        from: 'IN_TROUBLESHOOTING_QUEUE',
        to: done.status,
        events: last?.names,
      })
      expect(plan.diff).toEqual(last?.diff)
      const sent = (await setup.messages('payments__commands')).filter(({ msg_id }) => msg_id === done.msgId)
      expect(plan.messages).toMatchObject(
        sent.map(({ message }) => ({ queue: 'payments__commands', data: message.data })),
      )
      expect(plan.messages).toHaveLength(name === 'retry' ? 1 : 0)
      const replied = (await setup.messages('shop__replies')).slice(replies)
      expect(plan.replies).toMatchObject(
        replied.map(({ message }) => ({ body: { ...message, completed_at: expect.any(String) } })),
      )
      expect(plan.replies).toHaveLength(name === 'retry' ? 0 : 1)
    }
  })

  test('is refused where the action is', async () => {
    const setup = await createTestBus()
    const { commandId } = await setup.bus.send('payments', 'Charge', {})
    const { retry, cancel } = setup.bus.troubleshooting
    await dry(setup, async () => {
      await expect(retry('payments', commandId, { operator: 'jane', dryRun: true })).rejects.toThrow(
        InvalidOperationError,
      )
      await expect(retry('payments', UNKNOWN, { operator: 'jane', dryRun: true })).rejects.toThrow(CommandNotFoundError)
      await expect(cancel('payments', commandId, { operator: 'jane', reason: ' ', dryRun: true })).rejects.toThrow(
        InvalidInputError,
      )
      await expect(retry('payments', commandId, { operator: 'jane', dryRun: 'yes' as never })).rejects.toThrow('dryRun')
    })
  })

  test('shows for any history what the same action then does', async () => {
    await fc.assert(
      fc.asyncProperty(
        life,
        fc.constantFrom(operatorRetry(), operatorCancel(), operatorComplete()),
        async ({ events }, intent) => {
          const { store } = createMemoryEventStore<CommandEvent>()
          await store.append([
            {
              stream,
              expected: 'none',
              events: recorded(events).map(({ id, event, context }) => ({ id, event, context })),
            },
          ])
          const [planned] = await planTurns(store, uuidIds, outbox({ onSuccess: 'delete' }))([{ key, intent }])
          expect(await store.readStream(stream)).toHaveLength(events.length)
          const [done] = await createTransactCommands(store, uuidIds)([{ stream, intents: [intent] }])
          if (planned?.outcome !== 'planned') {
            expect(done).toMatchObject({ outcome: 'rejected', rejection: planned?.rejection })
            return
          }
          const last = historyOf(await store.readStream(stream)).at(-1)
          expect(planned.plan).toMatchObject({ to: last?.state.status, diff: last?.diff, events: last?.names })
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a dry run of an action on many', () => {
  test('counts what would be done and what would be refused, with samples, and changes nothing', async () => {
    const setup = await createTestBus()
    const ids = []
    for (const i of [1, 2, 3])
      ids.push(await parked(setup, 'payments', { i }, { replyTo: 'shop__replies', tenantId: 't1' }))
    const { commandId: pending } = await setup.bus.send('shipping', 'Ship', {})
    const keys = [
      ...ids.map(commandId => ({ domain: 'payments', commandId })),
      { domain: 'shipping', commandId: pending },
    ]
    const plan = await dry(setup, () =>
      setup.bus.actions.dryRun({
        action: 'cancel',
        ids: [...keys, { domain: 'a', commandId: UNKNOWN }],
        reason: 'x',
        operator: 'jane',
      }),
    )
    expect(plan).toMatchObject({ action: 'cancel', total: 5, decided: 5, would: 3, blocked: 2, messages: [] })
    expect(plan.replies).toEqual([{ queue: 'shop__replies', count: 3 }])
    expect(plan.samples.map(({ commandId, to }) => [commandId, to])).toEqual(ids.map(id => [id, 'CANCELED']))
    expect(plan.blockedSamples).toMatchObject([
      { commandId: pending, code: 'INVALID_OPERATION', message: expect.stringContaining('PENDING') },
      { commandId: UNKNOWN, code: 'COMMAND_NOT_FOUND' },
    ])
    const all = await dry(setup, () =>
      setup.bus.actions.dryRun({ action: 'retry', filter: { domain: 'payments' }, operator: 'jane' }),
    )
    expect(all).toMatchObject({ total: 3, decided: 3, would: 3, messages: [{ queue: 'payments__commands', count: 3 }] })
    const foreign = { operator: 'eve', tenantId: 't2' } as const
    expect(await setup.bus.actions.dryRun({ action: 'retry', filter: {}, ...foreign })).toMatchObject({
      total: 0,
      would: 0,
    })
    expect(await setup.bus.actions.dryRun({ action: 'retry', ids: keys.slice(0, 1), ...foreign })).toMatchObject({
      would: 0,
      blockedSamples: [{ code: 'COMMAND_NOT_FOUND' }],
    })
    await expect(setup.bus.actions.dryRun({ action: 'cancel', filter: {}, operator: 'jane' })).rejects.toThrow('reason')
  })
})

describe('an edited payload', () => {
  const handlers = {
    payments: {
      Charge: defineHandler({ payload: t.type({ card: t.type({ amount: t.number }) }), handle: () => null }),
    },
  }

  test('is refused where its codec refuses it, with the path; the command stays parked', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', { card: { amount: 5 } }, { tenantId: 't1' })
    const bus = setup.another({ handlers })
    const retry = (data: unknown, more: object = {}) =>
      bus.troubleshooting.retry('payments', id, { operator: 'jane', data, ...more })
    await dry(setup, async () => {
      for (const dryRun of [true, false]) {
        await expect(retry({ card: { amount: '6' } }, { dryRun })).rejects.toThrow(InvalidPayloadError)
        await expect(retry({}, { dryRun })).rejects.toThrow('data.card')
      }
      await expect(retry({}, { tenantId: 't2' })).rejects.toThrow(CommandNotFoundError)
    })
    expect(await retry({ card: { amount: 6 } })).toMatchObject({ status: 'PENDING' })
  })

  test('is recorded as a difference in log and audit, and the original stays', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', { card: { amount: 5, holder: 'Ada' } })
    await setup.bus.troubleshooting.retry('payments', id, {
      operator: 'jane',
      data: { card: { amount: 6 }, note: 'by phone' },
    })
    const diff = [
      { op: 'replace', path: '/card/amount', from: 5, to: 6 },
      { op: 'remove', path: '/card/holder', from: 'Ada', to: null },
      { op: 'add', path: '/note', from: null, to: 'by phone' },
    ]
    const { items } = await setup.bus.getHistory('payments', id)
    expect(items.at(-1)?.event).toMatchObject({ type: 'OperatorRetried', diff })
    expect(items[0]?.event).toMatchObject({ data: { card: { amount: 5, holder: 'Ada' } } })
    expect((await setup.bus.getAuditTrail('payments', id)).at(-1)?.details).toMatchObject({ edited: true, diff })
  })
})
