import { describe, expect, test } from 'vitest'
import { type CoalesceOptions, coalesce } from '../../src/application/shared/coalesce.ts'
import { signal } from '../support/bus.ts'

class Away extends Error {}

/** A `run` whose batches end when the test says so. */
const controlled = () => {
  const batches: { readonly items: readonly string[]; readonly end: (failure?: Error) => void }[] = []
  const begun: (() => void)[] = []
  const run = async (items: readonly string[]): Promise<readonly string[]> => {
    const ended = signal<Error | undefined>()
    batches.push({ items, end: ended.resolve })
    for (const wake of begun.splice(0)) wake()
    const failure = await ended.promise
    if (failure !== undefined) throw failure
    return items.map(item => `did ${item}`)
  }
  /** The batch with this number, once it has begun. */
  const batch = async (number: number) => {
    while (batches.length <= number) await new Promise<void>(wake => begun.push(wake))
    return batches[number] as (typeof batches)[number]
  }
  return { run, batch, batches }
}

const options = (
  run: CoalesceOptions<string, string>['run'],
  over: Partial<CoalesceOptions<string, string>> = {},
): CoalesceOptions<string, string> => ({
  room: { most: 100, sizeOf: () => 1 },
  maxRuns: 1,
  run,
  isShared: error => error instanceof Away,
  aside: { keyOf: item => item, patienceMs: 60_000, onHeld: item => new Error(`${item} is held`) },
  ...over,
})

describe('callers', () => {
  test('wait for the run under way, unless so many wait that another run is worth it', async () => {
    const { run, batch, batches } = controlled()
    const call = coalesce(options(run, { maxRuns: 2, worthARun: 3 }))
    const first = call('a')
    const { end } = await batch(0)
    const others = [call('b'), call('c')]
    await Promise.resolve()
    expect(batches).toHaveLength(1)
    others.push(call('d'))
    const second = await batch(1)
    expect(second.items).toEqual(['b', 'c', 'd'])
    const last = call('e')
    end()
    second.end()
    const third = await batch(2)
    expect(third.items).toEqual(['e'])
    third.end()
    expect(await Promise.all([first, ...others, last])).toEqual(['did a', 'did b', 'did c', 'did d', 'did e'])
  })

  test('R12: are split over several runs when their items are large together; an item above the limit gets a run of its own', async () => {
    const { run, batch } = controlled()
    const sizeOf = (item: string): number => item.length
    const call = coalesce(options(run, { room: { most: 100, sizeOf, maxBytes: 4 } }))
    const calls = ['aa', 'bb', 'c', 'dddddddd', 'e', 'f'].map(call)
    const expected = [['aa', 'bb'], ['c'], ['dddddddd'], ['e', 'f']]
    for (const [number, items] of expected.entries()) {
      const begun = await batch(number)
      expect(begun.items).toEqual(items)
      begun.end()
    }
    expect(await Promise.all(calls)).toEqual(expected.flat().map(item => `did ${item}`))
  })

  test('run at once when there is only one', async () => {
    const { run, batch } = controlled()
    const result = coalesce(options(run))('a')
    const first = await batch(0)
    expect(first.items).toEqual(['a'])
    first.end()
    expect(await result).toBe('did a')
  })

  test('in the same tick share one run, each with its own result', async () => {
    const { run, batch, batches } = controlled()
    const call = coalesce(options(run))
    const results = Promise.all(['a', 'b', 'c'].map(call))
    const first = await batch(0)
    expect(first.items).toEqual(['a', 'b', 'c'])
    first.end()
    expect(await results).toEqual(['did a', 'did b', 'did c'])
    expect(batches).toHaveLength(1)
  })

  test('who come during a run share the next one', async () => {
    const { run, batch, batches } = controlled()
    const call = coalesce(options(run))
    const results = [call('a')]
    const first = await batch(0)
    results.push(call('b'))
    await Promise.resolve()
    results.push(call('c'))
    expect(batches).toHaveLength(1)
    first.end()
    const second = await batch(1)
    expect(second.items).toEqual(['b', 'c'])
    second.end()
    expect(await Promise.all(results)).toEqual(['did a', 'did b', 'did c'])
  })

  test('fill a run up to its limit, in the order they came', async () => {
    const { run, batch, batches } = controlled()
    const call = coalesce(options(run, { room: { most: 2, sizeOf: () => 1 } }))
    const results = Promise.all(['a', 'b', 'c', 'd', 'e'].map(call))
    for (const number of [0, 1, 2]) (await batch(number)).end()
    await results
    expect(batches.map(({ items }) => items)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  test('have no more runs at the same time than allowed', async () => {
    const { run, batch, batches } = controlled()
    const call = coalesce(options(run, { room: { most: 1, sizeOf: () => 1 }, maxRuns: 2 }))
    const results = Promise.all(['a', 'b', 'c'].map(call))
    const first = await batch(0)
    await batch(1)
    expect(batches.map(({ items }) => items)).toEqual([['a'], ['b']])
    first.end()
    const third = await batch(2)
    expect(third.items).toEqual(['c'])
    third.end()
    ;(await batch(1)).end()
    expect(await results).toEqual(['did a', 'did b', 'did c'])
  })
})

describe('a failure', () => {
  /** Fails where `poison` is among the items; notes every run. */
  const poisoned = (poison: string) => {
    const runs: (readonly string[])[] = []
    const run = async (items: readonly string[]): Promise<readonly string[]> => {
      runs.push(items)
      if (items.includes(poison)) throw new Error(`${poison} is poison`)
      return items.map(item => `did ${item}`)
    }
    return { run, runs }
  }

  test('of one item is reported to its caller only: the other items run again without it', async () => {
    const { run, runs } = poisoned('b')
    const results = await Promise.allSettled(['a', 'b', 'c'].map(coalesce(options(run))))
    expect(results).toEqual([
      { status: 'fulfilled', value: 'did a' },
      { status: 'rejected', reason: new Error('b is poison') },
      { status: 'fulfilled', value: 'did c' },
    ])
    expect(runs).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']])
  })

  test('of a single item is not tried again', async () => {
    const { run, runs } = poisoned('a')
    await expect(coalesce(options(run))('a')).rejects.toThrow('a is poison')
    expect(runs).toEqual([['a']])
  })

  test('of the whole run is reported to every caller, and nothing runs again', async () => {
    const { run, batch, batches } = controlled()
    const results = Promise.allSettled(['a', 'b'].map(coalesce(options(run))))
    ;(await batch(0)).end(new Away('the database is away'))
    expect(await results).toEqual(
      ['a', 'b'].map(() => ({ status: 'rejected', reason: new Away('the database is away') })),
    )
    expect(batches).toHaveLength(1)
  })

  test('does not block later callers', async () => {
    const { run, batch } = controlled()
    const call = coalesce(options(run))
    const failing = expect(call('a')).rejects.toThrow(Away)
    const first = await batch(0)
    const waiting = call('b')
    first.end(new Away())
    await failing
    ;(await batch(1)).end()
    expect(await waiting).toBe('did b')
    const later = call('c')
    ;(await batch(2)).end()
    expect(await later).toBe('did c')
  })

  test('that is thrown synchronously counts like a rejected promise', async () => {
    const run = (): never => {
      throw new Away('at once')
    }
    await expect(coalesce(options(run))('a')).rejects.toThrow('at once')
  })
})

test('callers of several tasks share a run where it may begin later', async () => {
  const { run, batch, batches } = controlled()
  const starts: (() => void)[] = []
  const call = coalesce(options(run, { soon: start => starts.push(start) }))
  const results = [call('a')]
  await Promise.resolve()
  results.push(call('b'))
  expect(batches).toHaveLength(0)
  for (const start of starts) start()
  const only = await batch(0)
  expect(only.items).toEqual(['a', 'b'])
  only.end()
  expect(await Promise.all(results)).toEqual(['did a', 'did b'])
  expect(starts).toHaveLength(1)
})
