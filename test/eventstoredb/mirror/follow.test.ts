import { randomUUID } from 'node:crypto'
import type { AllStreamRecordedEvent } from '@eventstore/db-client'
import type { ClientBase } from 'pg'
import { expect, test } from 'vitest'
import { EventDecodeError } from '../../../src/application/ports/event-store.ts'
import { createFollow } from '../../../src/infrastructure/eventstoredb/mirror/follow.ts'
import { FaultedError } from '../../../src/infrastructure/eventstoredb/mirror/mirror-plan.ts'
import { context, noted } from '../../../src/testing/ports/contract-kit.ts'
import { notedCodec } from '../../support/noted.ts'

const recordOf = (place: number, text: string): AllStreamRecordedEvent => {
  const { type, data, meta } = notedCodec.encode(noted(text).event, context)
  const position = { commit: BigInt(place), prepare: BigInt(place) }
  const known = { id: randomUUID(), isJson: true, revision: 0n, created: new Date(), position } as const
  return { ...known, streamId: `note-${place}`, type, data: data as never, metadata: meta as never }
}

/** The outcome of these events when PostgreSQL refuses those that contain `bad`. */
const followed = async (records: readonly AllStreamRecordedEvent[]) => {
  const applied: number[] = []
  const tries: number[] = []
  let reached = ''
  const follow = createFollow({
    codec: notedCodec,
    prefixes: ['note-'],
    batch: 100,
    apply: async (_, piece) => {
      tries.push(piece.length)
      if (piece.some(({ event }) => event.event.text === 'bad')) throw Object.assign(new Error('no'), { code: '22P05' })
      applied.push(piece.length)
      return []
    },
    save: async () => {},
    isMirrored: async () => false,
    onPassedOver: () => {},
    onMoved: position => {
      reached = position
    },
  })
  let given = false
  const next = async () => {
    if (given) throw new Error('ended')
    given = true
    return { kind: 'events', events: records } as const
  }
  const failure = await follow({} as ClientBase, { next, end: () => {} }).catch(error => error)
  return { applied, tries, reached, failure }
}

const texts = (count: number, ...others: readonly [at: number, text: string][]) =>
  Array.from({ length: count }, (_, i) => recordOf(i, others.find(([at]) => at === i)?.[1] ?? 'fine'))

test('valid events are applied together', async () => {
  expect(await followed(texts(30))).toMatchObject({ applied: [30], reached: '29/29', failure: { message: 'ended' } })
})

test('an event that PostgreSQL refuses is found by halving the batch; all events before it are applied', async () => {
  const { applied, tries, reached, failure } = await followed(texts(21, [13, 'bad']))
  expect(failure).toBeInstanceOf(FaultedError)
  expect(failure).toMatchObject({ stream: 'note-13', revision: 0 })
  expect(applied.reduce((sum, n) => sum + n, 0)).toBe(13)
  expect(tries.length).toBeLessThan(12)
  expect(reached).toBe('12/12')
})

test('an event that cannot be read ends the batch; all events before it are applied', async () => {
  const records = texts(5).map((record, i) => (i === 3 ? { ...record, data: 'no object' as never } : record))
  const { applied, failure } = await followed(records)
  expect(applied).toEqual([3])
  expect(failure).toBeInstanceOf(EventDecodeError)
  expect(failure).toMatchObject({ stream: 'note-3', revision: 0 })
})

test('large events go in several pieces, a single one in one piece', async () => {
  const large = 'x'.repeat(3 * 1024 * 1024)
  expect(await followed(texts(5, [0, large], [1, large], [2, large], [3, large]))).toMatchObject({ applied: [2, 3] })
  expect(await followed(texts(2, [0, large.repeat(3)]))).toMatchObject({ applied: [1, 1] })
})
