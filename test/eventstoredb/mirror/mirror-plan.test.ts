import { expect, test } from 'vitest'
import {
  type Arrived,
  FaultedError,
  type Mirrored,
  notYetMirrored,
  roundsOf,
  withKnownMessages,
} from '../../../src/infrastructure/eventstoredb/mirror/mirror-plan.ts'
import type { Effect } from '../../../src/projections/outbox.ts'
import { context, type Noted } from '../../../src/testing/ports/contract-kit.ts'

/** An event with the effects that its text names. */
const arrived = (stream: string, revision: number, ...kinds: readonly Effect['kind'][]): Arrived<Noted> => ({
  event: {
    stream,
    revision,
    id: `${stream}${revision}`,
    event: { type: 'Noted', at: '', actor: '', text: kinds.join(' ') },
    context,
    position: `${revision}/${revision}`,
    recordedAt: '',
    msgId: null,
  },
  stored: { type: 'Noted', data: {}, meta: {} },
})
const effects = ({ event }: { readonly event: Noted }): readonly Effect[] =>
  event.text
    .split(' ')
    .filter(kind => kind !== '')
    .map(kind => ({ kind, queue: 'q', body: {}, msgId: '7', archivedMsgId: '7' }) as unknown as Effect)

const mirrored = (...ids: readonly string[]) =>
  new Map<number, Mirrored>(ids.map((id, revision) => [revision, { id, msgId: null }]))
const placesOf = (batch: readonly Arrived<Noted>[]) => batch.map(({ event: { stream, revision } }) => stream + revision)
const shape = (batch: readonly Arrived<Noted>[]) =>
  roundsOf(batch, effects).map(round =>
    Object.fromEntries(round.map(({ append, from }) => [append.stream, [from, append.events.length]])),
  )

test('events that are already mirrored are left out, also half of a stream', () => {
  const batch = [arrived('a', 0), arrived('b', 0), arrived('a', 1), arrived('b', 1), arrived('a', 2)]
  expect(placesOf(notYetMirrored(batch, new Map()))).toEqual(['a0', 'b0', 'a1', 'b1', 'a2'])
  const mirror = new Map([['a', mirrored('a0', 'a1')]])
  expect(placesOf(notYetMirrored(batch, mirror))).toEqual(['b0', 'b1', 'a2'])
})

test('a gap, or an event that differs from the mirrored one, stops it', () => {
  expect(() => notYetMirrored([arrived('a', 1)], new Map())).toThrow(FaultedError)
  expect(() => notYetMirrored([arrived('a', 3)], new Map([['a', mirrored('a0', 'a1')]]))).toThrow(/ends at revision 1/)
  expect(() => notYetMirrored([arrived('a', 0)], new Map([['a', mirrored('x')]]))).toThrow(/another event: x, not a0/)
})

test('several appends of one stream become one append of several events, in one round', () => {
  const batch = [arrived('a', 4), arrived('b', 0, 'enqueue'), arrived('a', 5, 'postpone'), arrived('a', 6, 'reply')]
  expect(shape(batch)).toEqual([{ a: [4, 3], b: [0, 1] }])
})

test('an effect on a message of the same batch waits for the next round', () => {
  const batch = [
    arrived('a', 0, 'enqueue'),
    arrived('a', 1),
    arrived('a', 2, 'archive'),
    arrived('a', 3, 'resend'),
    arrived('b', 0, 'enqueue'),
    arrived('b', 1, 'archive-current', 'reply'),
    arrived('a', 4, 'delete', 'reply'),
  ]
  expect(shape(batch)).toEqual([{ a: [0, 2], b: [0, 2] }, { a: [2, 1] }, { a: [3, 1] }, { a: [4, 1] }])
})

test('an unknown message id means the newest one that the mirror knows', () => {
  const { event } = arrived('a', 2, 'delete', 'archive', 'postpone', 'resend', 'reply')
  const ids = (known: readonly string[]) =>
    withKnownMessages(
      effects,
      new Map([['a', known]]),
    )(event).map(effect =>
      'archivedMsgId' in effect && effect.kind === 'resend' ? effect.archivedMsgId : 'msgId' in effect && effect.msgId,
    )
  expect(ids(['1', '2'])).toEqual(['2', '2', '2', '2', '7'])
  expect(ids(['7', '8'])).toEqual(['7', '7', '7', '7', '7'])
  expect(ids([])).toEqual(['7', '7', '7', '7', '7'])
})
