import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CommandEventType } from '../../../src/domain/command/events.ts'
import { type CommandFact, createLaneOrder, type LaneFact } from '../../../src/domain/flow/lane/lane-order.ts'
import { type Choice, choices, legalHistory } from '../../support/lives/lane-history.ts'

const faultsOf = (facts: readonly LaneFact[]) => {
  const faults: string[] = []
  const order = createLaneOrder(({ kind, stream, others }) =>
    faults.push(`${kind}: ${stream} before ${others.join(', ')}`),
  )
  for (const fact of facts) order.add(fact)
  return faults
}

const event = (stream: string, type: CommandEventType, more: Partial<CommandFact> = {}): CommandFact => ({
  kind: 'command',
  stream,
  revision: 1,
  type,
  domain: 'shop',
  lane: 'a',
  limit: null,
  later: false,
  receipt: false,
  transaction: stream,
  msgId: 0,
  queue: 'normal',
  at: 0,
  ...more,
})
const sent = (stream: string, more: Partial<CommandFact> = {}) => event(stream, 'CommandSent', more)
const received = (stream: string, more: Partial<CommandFact> = {}) => event(stream, 'CommandReceived', more)
const completed = (stream: string, more: Partial<CommandFact> = {}) => event(stream, 'CommandCompleted', more)
const parked = (stream: string, more: Partial<CommandFact> = {}) => event(stream, 'CommandMovedToTroubleshooting', more)
const settings = (width: number, passes = false, at = 0): LaneFact => ({
  kind: 'lane',
  domain: 'shop',
  name: 'a',
  settings: { width, passes },
  at,
})

describe('F8: the log of a lane', () => {
  test('F8: a command that begins while another one runs is found', () => {
    expect(faultsOf([sent('1'), sent('2'), received('1'), received('2')])).toEqual(['overlap: 2 before 1'])
    expect(faultsOf([sent('1'), sent('2'), received('1'), completed('2', { receipt: true })])).toEqual([
      'overlap: 2 before 1',
    ])
  })

  test('F8: a command that begins before one that was sent earlier is found', () => {
    expect(faultsOf([sent('1'), sent('2'), received('2'), completed('2'), received('1')])).toEqual([
      'overtaking: 2 before 1',
    ])
  })

  test('F8: what one transaction has sent is ordered by its messages, and not where they are on several queues', () => {
    const of = (msgId: number, queue = 'normal') => ({ transaction: 't', msgId, queue })
    const both = [sent('1', of(2)), sent('2', of(1))]
    expect(faultsOf([...both, received('2'), completed('2'), received('1')])).toEqual([])
    expect(faultsOf([...both, received('1')])).toEqual(['overtaking: 1 before 2'])
    expect(faultsOf([sent('1', of(2)), sent('2', of(1, 'high')), received('1')])).toEqual([])
    expect(faultsOf([sent('0'), ...both, received('1')])).toEqual(['overtaking: 1 before 0'])
  })

  test('F8: one that waits for its retry, or is parked, holds its lane', () => {
    const failed = [sent('1'), sent('2'), received('1'), event('1', 'CommandFailed')]
    expect(faultsOf([...failed, received('2')])).toEqual(['overlap: 2 before 1'])
    expect(faultsOf([...failed, received('1'), completed('1'), received('2')])).toEqual([])
    const held = [sent('1'), sent('2'), received('1'), parked('1')]
    expect(faultsOf([...held, received('2')])).toEqual(['overlap: 2 before 1'])
    expect(faultsOf([...held, event('1', 'OperatorCanceled'), received('2')])).toEqual([])
    expect(faultsOf([...held, event('1', 'OperatorRetried'), received('2')])).toEqual(['overlap: 2 before 1'])
  })

  test('F8: a lane that lets others pass goes on when one is parked, and again holds when it comes back', () => {
    const passed = [settings(1, true), sent('1'), sent('2'), sent('3'), received('1'), parked('1'), received('2')]
    expect(faultsOf([...passed, completed('2'), event('1', 'OperatorRetried'), received('1')])).toEqual([])
    expect(faultsOf([...passed, event('1', 'OperatorRetried'), received('1')])).toEqual(['overlap: 1 before 2'])
  })

  test('F8: a wider lane lets in so many, the oldest first', () => {
    const three = [settings(2), sent('1'), sent('2'), sent('3')]
    expect(faultsOf([...three, received('2'), received('1')])).toEqual([])
    expect(faultsOf([...three, received('2'), received('1'), received('3')])).toEqual([
      'overlap: 3 before 1, 2'.replace('1, 2', '2, 1'),
    ])
    expect(faultsOf([...three, received('2'), received('3')])).toEqual(['overtaking: 3 before 1'])
    expect(faultsOf([...three, received('3')])).toEqual(['overtaking: 3 before 1, 2'])
  })

  test('F8: commands that a wider lane had let in may begin after it was narrowed, others not', () => {
    const narrowed = [settings(2), sent('1'), sent('2'), sent('3'), received('1'), settings(1, false, 1)]
    const later = { at: 60_000 }
    expect(faultsOf([...narrowed, received('2', later)])).toEqual([])
    expect(faultsOf([...narrowed, received('2', later), completed('1', later), received('3', later)])).toEqual([
      'overlap: 3 before 2',
    ])
  })

  test('F8: what held before a change counts for ten seconds more, as transactions may have read it', () => {
    const changed = [settings(2), settings(1, false, 1_000)]
    const two = (at: number) => [sent('1', { at }), sent('2', { at }), received('1', { at }), received('2', { at })]
    expect(faultsOf([...changed, ...two(10_999)])).toEqual([])
    expect(faultsOf([...changed, ...two(11_000)])).toEqual(['overlap: 2 before 1'])
  })

  test('F8: a command with a time of its own joins when it is due, and others do not wait for it', () => {
    expect(faultsOf([sent('1', { later: true }), sent('2'), received('2'), completed('2'), received('1')])).toEqual([])
    const putOff = event('1', 'CommandFailed', { later: true })
    expect(faultsOf([sent('1'), sent('2'), putOff, received('2'), completed('2'), received('1')])).toEqual([])
    expect(
      faultsOf([sent('1'), sent('2'), received('1'), putOff, received('2'), completed('2'), received('1')]),
    ).toEqual([])
    expect(faultsOf([sent('1', { later: true }), sent('2'), received('2'), received('1')])).toEqual([
      'overlap: 1 before 2',
    ])
  })

  test('F8: lanes that a removed rule made have no width', () => {
    const rule = (width: number | null, at: number): LaneFact => ({
      kind: 'limit',
      domain: 'shop',
      name: 'by-type',
      settings: width === null ? null : { width, passes: false },
      at,
    })
    const two = [sent('1', { limit: 'by-type' }), sent('2', { limit: 'by-type' }), received('1'), received('2')]
    expect(faultsOf([rule(1, 0), ...two])).toEqual(['overlap: 2 before 1'])
    expect(faultsOf([rule(1, 0), rule(null, 1), ...two])).toEqual([])
    const ofKeys = [rule(2, 0), rule(null, 1)].map(fact => ({ ...fact, byKey: true }))
    const later = two.map(fact => ({ ...fact, at: 60_000 }))
    expect(faultsOf([...ofKeys, ...later])).toEqual(['overlap: 2 before 1'])
  })

  test('F8: legal histories have no faults, whatever happens in them', () => {
    fc.assert(
      fc.property(choices, made => {
        expect(faultsOf(legalHistory(made))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test('F8: two commands of a lane that change places are found in any history', () => {
    const planted: Choice[] = [{ kind: 'send' }, { kind: 'send' }]
    fc.assert(
      fc.property(choices, made => {
        const facts = legalHistory([...made.filter(({ kind }) => kind !== 'settings'), ...planted])
        const begun = facts.findIndex(fact => isBegin(fact) && waitsBehind(facts, fact))
        fc.pre(begun >= 0)
        const first = facts[begun] as CommandFact
        const next = waiting(facts.slice(0, begun), first)
        fc.pre(next !== undefined)
        const inverted = facts.map(fact =>
          fact.kind === 'command' && fact.stream === first.stream && fact.type !== 'CommandSent'
            ? { ...fact, stream: next ?? '' }
            : fact,
        )
        expect(faultsOf(inverted.slice(0, begun + 1))).not.toEqual([])
      }),
    )
  })

  test('F8: 10,000 events of one lane are checked at once, its line too', () => {
    const ids = Array.from({ length: 3_500 }, (_, index) => `${index}`)
    const order = createLaneOrder(() => expect.unreachable())
    for (const id of ids) order.add(sent(id))
    for (const id of ids) {
      order.add(received(id))
      order.add(completed(id))
    }
    expect(order.counts()).toEqual({ begun: 3_500, open: 0 })
  })
})

const isBegin = (fact: LaneFact): fact is CommandFact => fact.kind === 'command' && fact.type === 'CommandReceived'

/** Another command of the lane that was sent later, and has no event of its own yet. */
const waiting = (before: readonly LaneFact[], { stream, lane }: CommandFact): string | undefined =>
  before
    .flatMap(fact =>
      fact.kind === 'command' && fact.type === 'CommandSent' && fact.lane === lane && !fact.later ? [fact.stream] : [],
    )
    .filter(one => Number(one) > Number(stream))
    .find(one => before.filter(fact => fact.kind === 'command' && fact.stream === one).length === 1)

const waitsBehind = (facts: readonly LaneFact[], begin: CommandFact): boolean => {
  const at = facts.indexOf(begin)
  const before = facts.slice(0, at)
  const own = before.filter(fact => fact.kind === 'command' && fact.stream === begin.stream) as CommandFact[]
  return own.length === 1 && own[0]?.later === false && waiting(before, begin) !== undefined
}
