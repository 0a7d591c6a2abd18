import { describe, expect, test } from 'vitest'
import { explain, type Sample } from '../../src/domain/explain/index.ts'
import type { Json } from '../../src/domain/json/json.ts'
import { historyOf, plantedCauses, samplesOf } from '../support/explain/histories.ts'

/** Smaller than in life, so that the suite stays quick; EXPLAIN_COMMANDS=100000 compares as many as there are. */
const COMMANDS = Number(process.env.EXPLAIN_COMMANDS ?? 5_000)
const MOST = COMMANDS > 50_000 ? 1_000 : 600

const rightFirst = (seed: number, i: number): string | null => {
  const planted = plantedCauses[i]
  if (planted === undefined) throw new Error('no such cause')
  const { failed, succeeded } = samplesOf(historyOf(seed, COMMANDS, planted), MOST)
  const { findings } = explain(failed, succeeded)
  const [first] = findings
  const isRight = first?.kind === planted.kind && first.path === planted.path
  return isRight ? null : `${planted.name}: ${first?.sentence ?? 'silent'}`
}

describe('O4: what the failed have in common', () => {
  test('O4: the right cause comes first in at least 18 of 20 histories with a planted one', () => {
    const wrong = plantedCauses.flatMap((_, i) => rightFirst(1_000 + i, i) ?? [])
    expect(plantedCauses).toHaveLength(20)
    expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(2)
  })

  test('O4: nothing is found in at least 19 of 20 histories without a cause', () => {
    const found = Array.from({ length: 20 }, (_, i) => {
      const { failed, succeeded } = samplesOf(historyOf(2_000 + i, COMMANDS), MOST)
      return explain(failed, succeeded).findings.map(({ sentence }) => sentence)
    }).filter(sentences => sentences.length > 0)
    expect(found.length, found.flat().join('\n')).toBeLessThanOrEqual(1)
  })

  const sample = (data: Json | undefined, more: Partial<Sample> = {}): Sample => ({
    data,
    tenant: null,
    worker: 'w1',
    build: null,
    at: '2026-01-01T00:00:00.000Z',
    ...more,
  })
  const many = (count: number, of: (i: number) => Sample) => Array.from({ length: count }, (_, i) => of(i))

  test('O4: each kind of finding has its sentence, with the shares', () => {
    const ok = (i: number) => sample({ country: i % 2 ? 'NO' : 'SE', amount: i })
    const sentences = (failed: readonly Sample[], succeeded = many(100, ok)) =>
      explain(failed, succeeded).findings.map(({ sentence }) => sentence)
    expect(sentences(many(50, i => sample({ country: 'XX', amount: i * 2 })))[0]).toBe(
      'country is "XX" in all of the failed commands, and in none of the succeeded ones.',
    )
    expect(sentences(many(50, i => sample({ amount: i * 2 })))[0]).toBe(
      'country is missing in all of the failed commands, and in none of the succeeded ones.',
    )
    expect(sentences(many(50, i => sample({ country: i % 2 ? 'NO' : 'SE', amount: `${i}` })))[0]).toBe(
      'amount is a string in all of the failed commands, and in none of the succeeded ones.',
    )
    expect(sentences(many(50, i => sample({ country: i % 2 ? 'NO' : 'SE', amount: 1_000 + i })))[0]).toBe(
      'amount is at least 1000 in all of the failed commands, and in none of the succeeded ones.',
    )
    expect(sentences(many(50, i => sample(ok(i * 2 + (i % 2)).data, { worker: 'w2' })))[0]).toBe(
      'the worker was w2 in all of the failed commands, and in none of the succeeded ones.',
    )
    expect(sentences(many(50, i => sample(ok(i * 2 + (i % 2)).data, { build: '2.0', worker: 'w2' })))).toEqual([
      'the build of the worker was 2.0 in all of the failed commands, and in none of the succeeded ones.',
      'the worker was w2 in all of the failed commands, and in none of the succeeded ones.',
    ])
  })

  test('O4: a hidden member is not used, nor anything below it', () => {
    const failed = many(50, i => sample({ card: { number: '4000' }, n: i }))
    const succeeded = many(50, i => sample({ card: { number: `5${i}` }, n: i }))
    expect(explain(failed, succeeded).findings[0]).toMatchObject({ kind: 'value', path: 'card.number', value: '4000' })
    for (const hidden of ['card', 'card.number']) {
      expect(explain(failed, succeeded, { isHidden: path => path === hidden }).findings).toEqual([])
    }
  })

  test('O4: nothing is said of few commands, of one side alone, or of payloads that were too large to read', () => {
    const bad = (i: number) => sample({ country: 'XX', i })
    const good = (i: number) => sample({ country: 'NO', i })
    for (const [failed, succeeded] of [
      [many(2, bad), many(2, good)],
      [many(1, bad), many(50, good)],
      [many(500, bad), []],
      [[], many(500, good)],
      [many(500, () => sample(undefined)), many(500, () => sample(undefined))],
      [[], []],
    ] as const) {
      expect(explain(failed, succeeded).findings).toEqual([])
    }
  })

  test('O4: a counter in the payload is not named in place of the time', () => {
    const at = (minute: number) => new Date(Date.parse('2026-01-01') + minute * 60_000).toISOString()
    const order = (minute: number) =>
      sample({ orderNo: 9_000 + minute, amount: (minute * 37) % 101 }, { at: at(minute) })
    const failed = many(60, i => order(1_000 + i))
    const succeeded = many(2_000, i => order(i)).filter((_, i) => i < 1_000 || i >= 1_060)
    expect(explain(failed, succeeded).findings).toMatchObject([{ kind: 'time' }, { kind: 'range', path: 'orderNo' }])
    // a range that has nothing to do with the time comes before a time that happens to fit
    const large = explain(
      failed.map((one, i) => ({ ...one, data: { amount: 1_000 + ((i * 37) % 101) } })),
      succeeded.map((one, i) => ({ ...one, data: { amount: (i * 37) % 101 } })),
    )
    expect(large.findings[0]).toMatchObject({ kind: 'range', path: 'amount' })
  })

  test('O4: hostile payloads do no harm: deep, wide, with odd names and long texts', () => {
    const deep = (levels: number): Json => (levels === 0 ? 'x' : { a: deep(levels - 1), __proto__: 1 })
    const wide = (i: number) => Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`m${i}_${n}`, n]))
    const odd = {
      '': 1,
      constructor: 2,
      'a.b[0]': '\u202e'.repeat(50),
      list: Array.from({ length: 10_000 }, (_, n) => n),
    }
    const { findings } = explain(
      many(40, i => sample({ ...odd, deep: deep(90), wide: wide(i), long: 'y'.repeat(100_000), kind: 'bad' })),
      many(40, i => sample({ ...odd, deep: deep(90), wide: wide(i), long: 'y'.repeat(100_000), kind: 'good' })),
    )
    expect(findings[0]).toMatchObject({ path: 'kind', value: 'bad' })
    expect(JSON.stringify(findings.map(({ sentence }) => sentence))).not.toContain('\u202e')
  })
})
