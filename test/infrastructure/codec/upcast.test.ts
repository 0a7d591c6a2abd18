import { left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { eventCodec, type StoredEvent } from '../../../src/infrastructure/codec/event-codec.ts'
import { type Upcasts, upcast } from '../../../src/infrastructure/codec/upcast.ts'
import { at, context } from '../../support/lives/command-life.ts'

interface Paid {
  readonly type: 'Paid'
  readonly at: string
  readonly actor: string
  readonly amount: { readonly value: number; readonly currency: string }
}

/** Version 1: {euros}; 2: {cents}; 3: {amount}. */
const steps: Upcasts = {
  Paid: [
    data => ({ cents: (data as { euros: number }).euros * 100 }),
    data => ({ amount: { value: (data as { cents: number }).cents, currency: 'EUR' } }),
  ],
}

const codecWith = (upcasts: Upcasts) =>
  eventCodec<Paid>(
    { Paid: { version: 3, data: t.type({ amount: t.type({ value: t.number, currency: t.string }) }) } },
    upcasts,
  )

const paid: Paid = { type: 'Paid', at: at(0), actor: 'shop', amount: { value: 500, currency: 'EUR' } }

const stored = (v: number, data: object): StoredEvent => {
  const newest = codecWith(steps).encode(paid, context)
  return { ...newest, data, meta: { ...newest.meta, v } }
}

describe('an event of an older schema', () => {
  test.each([
    [1, { euros: 5 }],
    [2, { cents: 500 }],
    [3, { amount: { value: 500, currency: 'EUR' } }],
  ])('version %i is read as the newest, step by step', (v, data) => {
    expect(codecWith(steps).decode(stored(v, data))).toEqual(right({ event: paid, context }))
  })

  test('is written as the newest version', () => {
    expect(codecWith(steps).encode(paid, context)).toMatchObject({
      type: 'Paid',
      data: { amount: { value: 500, currency: 'EUR' } },
      meta: { v: 3, at: at(0), actor: 'shop' },
    })
  })

  test('is checked after the upcasts, with the path in the newest schema', () => {
    expect(codecWith(steps).decode(stored(2, { pence: 500 }))).toEqual(left(['data.amount.value: expected number']))
  })

  test('is refused when an upcast cannot read it, and nothing is thrown', () => {
    const broken: Upcasts = { Paid: [data => ({ cents: (data as { price: { euros: number } }).price.euros }), d => d] }
    expect(codecWith(broken).decode(stored(1, { euros: 5 }))).toMatchObject({ _tag: 'Left' })
  })

  test('is refused when an upcast is missing, with both versions', () => {
    expect(codecWith({ Paid: steps.Paid?.slice(0, 1) ?? [] }).decode(stored(1, { euros: 5 }))).toEqual(
      left(['meta.v: there is no upcast from schema version 1 of Paid to 3']),
    )
    expect(codecWith({}).decode(stored(2, { cents: 5 }))).toEqual(
      left(['meta.v: there is no upcast from schema version 2 of Paid to 3']),
    )
  })

  test('is not changed itself', () => {
    const data = Object.freeze({ euros: 5 })
    expect(upcast(steps, 'Paid', 1, 3, data)).toEqual(right({ amount: { value: 500, currency: 'EUR' } }))
    expect(data).toEqual({ euros: 5 })
  })
})

test('an event of a newer schema is refused, with the versions that can be read', () => {
  expect(codecWith(steps).decode(stored(4, {}))).toEqual(
    left(['meta.v: schema version 4 of Paid is not known (this version of commandbus reads 1 to 3)']),
  )
})
