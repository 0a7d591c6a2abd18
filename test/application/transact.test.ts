import { v7 as uuidv7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import { createTransactCommands } from '../../src/application/commands/transact-commands.ts'
import type { AppendResult, EventStore } from '../../src/application/ports/event-store.ts'
import { ContentionError } from '../../src/application/shared/errors.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { command } from '../../src/domain/command/index.ts'
import type { CommandIntent } from '../../src/domain/command/intents.ts'
import type { CommandRejection } from '../../src/domain/command/rejections.ts'
import { type CommandState, initialState } from '../../src/domain/command/state.ts'
import { fold } from '../../src/domain/decider.ts'
import { createMemoryEventStore } from '../../src/testing/memory/event-store.ts'
import {
  cancel,
  context,
  failed,
  historyOf,
  operatorCancel,
  operatorRetry,
  receive,
  received,
  send,
  stream,
  succeed,
} from '../support/lives/command-life.ts'

type Store = EventStore<CommandEvent>

/** The store in memory, which records its calls; `meanwhile` runs before the append with that number. */
const setUp = (meanwhile: (append: number, store: Store) => Promise<unknown> = async () => undefined) => {
  const { store } = createMemoryEventStore<CommandEvent>()
  const asked: string[] = []
  let appends = 0
  const watched: Store = {
    ...store,
    readStreams: async (streams, options) => {
      asked.push(`read ${streams.length}`)
      return store.readStreams(streams, options)
    },
    append: async (list, options): Promise<readonly AppendResult[]> => {
      asked.push(`append ${list.length}`)
      await meanwhile(appends++, store)
      return store.append(list, options)
    },
  }
  const ids = { next: uuidv7 }
  return { store, asked, transact: createTransactCommands(watched, ids), rival: createTransactCommands(store, ids) }
}

const write = (store: Store, events: readonly CommandEvent[], to = stream) =>
  store.append([{ stream: to, expected: 'any', events: events.map(event => ({ id: uuidv7(), event, context })) }])

const typesIn = async (store: Store, of = stream) => (await store.readStream(of)).map(({ event }) => event.type)
const turn = (...intents: readonly CommandIntent[]) => ({ stream, intents })
const streamOf = (i: number) => `command-payments-0192d3a4-0000-7000-8000-${String(i).padStart(12, '0')}`

describe('a turn', () => {
  test('is loaded, decided and appended, and returns the new state', async () => {
    const { store, asked, transact } = setUp()
    const [outcome] = await transact([turn(send())])
    expect(outcome).toMatchObject({
      outcome: 'done',
      events: [{ type: 'CommandSent' }],
      now: { state: { status: 'PENDING' }, revision: 0 },
    })
    expect(asked).toEqual(['read 1', 'append 1'])
    expect(await store.readStream(stream)).toMatchObject([{ revision: 0, context }])
  })

  test('decides its intents one after the other and appends their events together', async () => {
    const { store, asked, transact } = setUp()
    const [outcome] = await transact([turn(send(), receive(1), succeed(1))])
    expect(outcome).toMatchObject({ outcome: 'done', now: { state: { status: 'COMPLETED' }, revision: 2 } })
    expect(asked).toEqual(['read 1', 'append 1'])
    expect(await typesIn(store)).toEqual(['CommandSent', 'CommandReceived', 'CommandCompleted'])
  })

  test('appends nothing when one of its intents is refused', async () => {
    const { store, asked, transact } = setUp()
    const [outcome] = await transact([turn(send(), receive(1), cancel())])
    expect(outcome).toMatchObject({
      outcome: 'rejected',
      rejection: { type: 'NotPending', status: 'IN_PROGRESS' },
      now: { state: { status: 'NONE' }, revision: -1 },
    })
    expect(asked).toEqual(['read 1'])
    expect(await typesIn(store)).toEqual([])
  })

  test('appends nothing when there is nothing to change', async () => {
    const { store, asked, transact } = setUp()
    await write(store, historyOf.COMPLETED)
    expect(await transact([turn(succeed(1))])).toMatchObject([{ outcome: 'done', events: [], now: { revision: 2 } }])
    expect(asked).toEqual(['read 1'])
  })

  test('is not loaded again when its caller has just loaded the stream', async () => {
    const { asked, transact } = setUp()
    await transact([{ ...turn(send()), known: { state: initialState, revision: -1 } }])
    expect(asked).toEqual(['append 1'])
  })
})

describe('a guard', () => {
  const onlyPending = (state: CommandState): CommandRejection | null =>
    state.status === 'PENDING' ? null : { type: 'NotFound' }

  test('refuses before anything is decided', async () => {
    const { store, asked, transact } = setUp()
    await write(store, historyOf.IN_TROUBLESHOOTING_QUEUE)
    expect(await transact([{ ...turn(operatorRetry()), guard: onlyPending }])).toMatchObject([
      { outcome: 'rejected', rejection: { type: 'NotFound' }, now: { revision: 2 } },
    ])
    expect(asked).toEqual(['read 1'])
  })

  test('lets a turn pass that it does not refuse', async () => {
    const { store, transact } = setUp()
    await write(store, historyOf.PENDING)
    expect(await transact([{ ...turn(cancel()), guard: onlyPending }])).toMatchObject([{ outcome: 'done' }])
    expect(await typesIn(store)).toEqual(['CommandSent', 'CommandCanceled'])
  })

  test('runs again on the new state after a conflict', async () => {
    const { store, transact } = setUp(async (append, under) => {
      if (append === 0) await write(under, historyOf.IN_TROUBLESHOOTING_QUEUE.slice(1))
    })
    await write(store, historyOf.PENDING)
    expect(await transact([{ ...turn(receive(2)), guard: onlyPending }])).toMatchObject([
      { outcome: 'rejected', rejection: { type: 'NotFound' } },
    ])
  })
})

describe('a conflict', () => {
  test('is loaded and decided again, on the new state', async () => {
    const { store, asked, transact } = setUp(async (append, under) => {
      if (append === 0) await write(under, historyOf.COMPLETED.slice(1))
    })
    await write(store, historyOf.PENDING)
    const [outcome] = await transact([turn(cancel())])
    expect(outcome).toMatchObject({ outcome: 'rejected', rejection: { type: 'NotPending', status: 'COMPLETED' } })
    expect(asked).toEqual(['read 1', 'append 1', 'read 1'])
  })

  test('A14: shows the other append although the caller expected an empty stream', async () => {
    const { store, asked, transact } = setUp()
    await write(store, historyOf.PENDING)
    const known = { state: initialState, revision: -1 }
    expect(await transact([{ ...turn(send()), known }])).toMatchObject([
      { outcome: 'rejected', rejection: { type: 'AlreadySent' } },
    ])
    expect(asked).toEqual(['append 1', 'read 1'])
    expect(await typesIn(store)).toEqual(['CommandSent'])
  })

  test('succeeds in the end when the intent is still allowed', async () => {
    const { store, transact } = setUp(async (append, under) => {
      if (append < 3) await write(under, [received(append + 1)])
    })
    await write(store, historyOf.PENDING)
    const [outcome] = await transact([turn(receive(9, { actor: 'worker:z' }))])
    expect(outcome).toMatchObject({ outcome: 'done', now: { state: { status: 'IN_TROUBLESHOOTING_QUEUE' } } })
    expect((await typesIn(store)).slice(0, 4)).toEqual(['CommandSent', ...Array(3).fill('CommandReceived')])
  })

  test('does not disturb the turns beside it', async () => {
    const { store, asked, transact } = setUp(async (append, under) => {
      if (append === 0) await write(under, historyOf.CANCELED, streamOf(1))
    })
    const outcomes = await transact([0, 1, 2].map(i => ({ stream: streamOf(i), intents: [send()] })))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'rejected', 'done'])
    expect(asked).toEqual(['read 3', 'append 3', 'read 1'])
    expect(await typesIn(store, streamOf(2))).toEqual(['CommandSent'])
  })

  test('is not retried for ever: a turn that loses every round fails, and appends nothing', async () => {
    const { store, asked, transact } = setUp(async (append, under) => {
      await write(under, [received(append + 1), failed(append + 1)])
    })
    await write(store, historyOf.PENDING)
    await expect(transact([turn(cancel())])).rejects.toThrow(ContentionError)
    expect(asked.filter(call => call === 'append 1')).toHaveLength(24)
    expect(await typesIn(store)).not.toContain('CommandCanceled')
  })
})

describe('many turns', () => {
  test('of many streams cost one load and one append', async () => {
    const { asked, transact } = setUp()
    await transact(Array.from({ length: 50 }, (_, i) => ({ stream: streamOf(i), intents: [send()] })))
    expect(asked).toEqual(['read 50', 'append 50'])
  })

  test('on one stream run in their order, each on what the one before left', async () => {
    const { store, transact } = setUp()
    const outcomes = await transact([turn(send()), turn(receive(1)), turn(cancel()), turn(succeed(1)), turn(send())])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'rejected', 'done', 'rejected'])
    expect(await typesIn(store)).toEqual(['CommandSent', 'CommandReceived', 'CommandCompleted'])
  })

  test('on one stream keep their order through a conflict', async () => {
    const { store, transact } = setUp(async (append, under) => {
      if (append === 0) await write(under, [received(1)])
    })
    await write(store, historyOf.PENDING)
    const outcomes = await transact([turn(receive(2, { actor: 'worker:b' })), turn(succeed(2, { actor: 'worker:b' }))])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
    expect(await typesIn(store)).toEqual(['CommandSent', 'CommandReceived', 'CommandReceived', 'CommandCompleted'])
  })

  test('that bring the state they were loaded with are not loaded, and go on from what the one before left', async () => {
    const { store, asked, transact } = setUp()
    await write(store, historyOf.PENDING)
    const known = { state: fold(command, historyOf.PENDING), revision: historyOf.PENDING.length - 1 }
    const bringing = (...intents: readonly CommandIntent[]) => ({ ...turn(...intents), known })
    const outcomes = await transact([bringing(receive(1)), bringing(succeed(1)), bringing(cancel())])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'rejected'])
    expect(await typesIn(store)).toEqual(['CommandSent', 'CommandReceived', 'CommandCompleted'])
    expect(asked).toEqual(['append 1', 'append 1'])
  })

  test.each([0, 1, 2, 3])(
    'of which one brings a state that has passed are all decided on the present one (%i)',
    async old => {
      const { store, transact } = setUp()
      await write(store, [...historyOf.PENDING, received(1)])
      const known = { state: fold(command, historyOf.PENDING), revision: historyOf.PENDING.length - 1 }
      const intents = [receive(1), succeed(1), cancel(), succeed(1)]
      const outcomes = await transact(
        intents.map((intent, i) => ({ ...turn(intent), ...(i === old ? { known } : {}) })),
      )
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'rejected', 'done'])
      expect(await typesIn(store)).toEqual(['CommandSent', 'CommandReceived', 'CommandCompleted'])
    },
  )

  test('A14: twenty sends of one id make one command', async () => {
    const { store, transact } = setUp()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => transact([turn(send())])))
    expect(outcomes.flat().filter(({ outcome }) => outcome === 'done')).toHaveLength(1)
    expect(await typesIn(store)).toEqual(['CommandSent'])
  })

  test('A5: of twenty operators at once one succeeds, and nineteen get the reason why not', async () => {
    const { store, transact, rival } = setUp()
    await write(store, historyOf.IN_TROUBLESHOOTING_QUEUE)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? transact : rival)([turn(i % 3 === 0 ? operatorCancel() : operatorRetry())]),
      ),
    )
    const refused = outcomes.flat().filter(outcome => outcome.outcome === 'rejected')
    expect(refused).toHaveLength(19)
    for (const { rejection } of refused) expect(rejection.type).toBe('NotInTroubleshooting')
    expect(await typesIn(store)).toHaveLength(4)
  })
})

test('an empty list of turns calls no store', async () => {
  const { asked, transact } = setUp()
  expect(await transact([])).toEqual([])
  expect(asked).toEqual([])
})

test('a store that fails is not called twice', async () => {
  const { asked, transact } = setUp(async () => {
    throw new Error('the disk is full')
  })
  await expect(transact([turn(send())])).rejects.toThrow('the disk is full')
  expect(asked).toEqual(['read 1', 'append 1'])
})
