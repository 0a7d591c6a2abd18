import type { Json } from '../json/json.ts'
import type { FindingKind } from './finding.ts'
import { bestInterval, followsTime, type Measured } from './interval.ts'
import { type Member, membersOf, placesOf } from './members.ts'
import type { Counts, Sample } from './sample.ts'

/** A smaller difference between the shares does not stand out. */
export const LEAST_DIFFERENCE = 0.15
/** Something that the failed may have in common. */
export interface Candidate {
  readonly kind: FindingKind
  readonly path?: string
  readonly value: Json
  readonly found: Counts
  /** The commands among which it was searched. */
  readonly all: Counts
  /** How many were tried to find it. */
  readonly tries: number
  /** A range that only says when they were sent, in other words. */
  readonly followsTime?: () => boolean
}

/** A command, and whether it is one of the failed. */
export type Marked = Sample & { readonly failed: boolean }

const countOf = (samples: readonly Marked[]): Counts => ({
  failed: samples.filter(sample => sample.failed).length,
  succeeded: samples.filter(sample => !sample.failed).length,
})

/** What is in the payloads. */
export const payloadCandidates = (
  samples: readonly Marked[],
  isHidden: (path: string) => boolean,
): readonly Candidate[] => {
  const read = quicklyRead(samples.filter(({ data }) => data !== undefined))
  const all = countOf(read)
  const members = membersOf(read, isHidden)
  const plain = members.flatMap(member => plainCandidates(member, all))
  const ranges = members.flatMap(member => rangeCandidates(member, all))
  return [...sharing(plain), ...sharing(ranges)]
}

/** Places of all payloads together that are compared within some tenths of a second. */
const MOST_PLACES = 200_000
const FEWEST = 100

/** Of large payloads as many as can be compared quickly, at even distances: nothing else runs in this process meanwhile. */
const quicklyRead = (samples: readonly Marked[]): readonly Marked[] => {
  const some = samples.filter((_, i) => i % 50 === 0)
  const places = some.reduce((sum, { data }) => sum + placesOf(data ?? null), 0) / Math.max(1, some.length)
  const most = Math.max(FEWEST, Math.floor(MOST_PLACES / Math.max(1, places) / 2))
  return [true, false].flatMap(side => {
    const own = samples.filter(({ failed }) => failed === side)
    return own.filter(
      (_, i) => own.length <= most || Math.floor((i * most) / own.length) !== Math.floor(((i - 1) * most) / own.length),
    )
  })
}

/** Each was tried beside all others of its family. */
const sharing = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const tries = candidates.reduce((sum, candidate) => sum + candidate.tries, 0)
  return candidates.map(candidate => ({ ...candidate, tries }))
}

/** What too few have cannot make a difference, wherever it occurs: it is not tried. */
const isFrequent = ({ failed, succeeded }: Counts, all: Counts): boolean =>
  failed + succeeded >= LEAST_DIFFERENCE * all.failed

const isSame = (one: Counts, other: Counts): boolean => one.failed === other.failed && one.succeeded === other.succeeded

const plainCandidates = ({ path, present, types, values }: Member, all: Counts): readonly Candidate[] => {
  const missing = { failed: all.failed - present.failed, succeeded: all.succeeded - present.succeeded }
  const candidate = (kind: FindingKind, value: Json, { failed, succeeded }: Counts): readonly Candidate[] =>
    isFrequent({ failed, succeeded }, all) ? [{ kind, path, value, found: { failed, succeeded }, all, tries: 1 }] : []
  return [
    // that a list has elements is said by its length
    ...(path === '' || path.endsWith('[]')
      ? []
      : [...candidate('member', 'present', present), ...candidate('member', 'missing', missing)]),
    // a type that all of them have says no more than that it is there
    ...[...types].flatMap(([type, found]) => (isSame(found, present) ? [] : candidate('type', type, found))),
    ...[...values].flatMap(([value, found]) => candidate('value', value, found)),
  ]
}

const rangeCandidates = ({ path, numbers, lengths }: Member, all: Counts): readonly Candidate[] =>
  // a list has several numbers
  path.includes('[]')
    ? []
    : [...rangeOf(numbers, path, all), ...rangeOf(lengths, path === '' ? 'length' : `${path}.length`, all)]

/** Among those that have a number there: that they have one at all is another finding. */
const rangeOf = (measured: Measured, path: string, all: Counts): readonly Candidate[] => {
  const failed = measured.failed.filter(Boolean).length
  const own = { failed, succeeded: measured.failed.length - failed }
  if (own.failed < all.failed / 2 || own.succeeded === 0) return []
  const found = bestInterval(measured, own)
  if (found === null) return []
  const value = { ...(found.isFirst ? {} : { from: found.from }), ...(found.isLast ? {} : { to: found.to }) }
  return [
    { kind: 'range', path, value, found, all: own, tries: found.choices, followsTime: () => followsTime(measured) },
  ]
}

/** What is not: tenant, worker, build and time. */
export const otherCandidates = (
  samples: readonly Marked[],
  all: Counts,
  failedAt: readonly number[],
): readonly Candidate[] => {
  const named = (['tenant', 'worker', 'build'] as const).flatMap(kind => namesOf(samples, kind, all))
  return [...sharing(named), ...timeOf(samples, failedAt)]
}

const namesOf = (
  samples: readonly Marked[],
  kind: 'tenant' | 'worker' | 'build',
  all: Counts,
): readonly Candidate[] => {
  const names = new Map<string | null, { failed: number; succeeded: number }>()
  for (const sample of samples) {
    const found = names.get(sample[kind]) ?? { failed: 0, succeeded: 0 }
    if (sample.failed) found.failed++
    else found.succeeded++
    names.set(sample[kind], found)
  }
  // who ran it is not known where no worker came so far: that is no cause
  return [...names]
    .filter(([name, found]) => (name !== null || kind === 'tenant') && isFrequent(found, all))
    .map(([value, found]) => ({ kind, value, found, all, tries: 1 }))
}

const timeOf = (samples: readonly Marked[], failedAt: readonly number[]): readonly Candidate[] => {
  const succeededAt = samples.flatMap(({ at, failed }) => (failed ? [] : [Date.parse(at)]))
  const at = [...failedAt, ...succeededAt]
  const all = { failed: failedAt.length, succeeded: succeededAt.length }
  if (all.failed === 0 || all.succeeded === 0) return []
  const found = bestInterval({ values: at, failed: at.map((_, i) => i < all.failed), at }, all)
  if (found === null) return []
  const value = {
    ...(found.isFirst ? {} : { from: new Date(found.from).toISOString() }),
    ...(found.isLast ? {} : { to: new Date(found.to).toISOString() }),
  }
  return [{ kind: 'time', value, found, all, tries: found.choices }]
}
