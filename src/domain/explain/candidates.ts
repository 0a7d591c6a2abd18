import type { Json } from '../json/json.ts'
import type { FindingKind } from './finding.ts'
import { bestInterval, type Measured } from './interval.ts'
import { type Member, membersOf } from './members.ts'
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
  const read = samples.filter(({ data }) => data !== undefined)
  const all = countOf(read)
  const members = membersOf(read, isHidden)
  const plain = members.flatMap(member => plainCandidates(member, all))
  const ranges = members.flatMap(member => rangeCandidates(member, all))
  return [...sharing(plain), ...sharing(ranges)]
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
  const candidate = (kind: FindingKind, value: Json, found: Counts): Candidate => ({
    kind,
    path,
    value,
    found: { ...found },
    all,
    tries: 1,
  })
  return [
    // that a list has elements is said by its length
    ...(path === '' || path.endsWith('[]')
      ? []
      : [candidate('member', 'present', present), candidate('member', 'missing', missing)]),
    // a type that all of them have says no more than that it is there
    ...[...types].filter(([, found]) => !isSame(found, present)).map(([type, found]) => candidate('type', type, found)),
    ...[...values].map(([text, found]) => candidate('value', JSON.parse(text) as Json, found)),
  ].filter(({ found }) => isFrequent(found, all))
}

const rangeCandidates = ({ path, numbers, lengths }: Member, all: Counts): readonly Candidate[] => [
  ...rangeOf(numbers, path, all),
  ...rangeOf(lengths, path === '' ? 'length' : `${path}.length`, all),
]

/** Among those that have a number there: that they have one at all is another finding. */
const rangeOf = (measured: readonly Measured[], path: string, all: Counts): readonly Candidate[] => {
  const own = { failed: 0, succeeded: 0 }
  for (const { failed } of measured) {
    if (failed) own.failed++
    else own.succeeded++
  }
  if (own.failed < all.failed / 2 || own.succeeded === 0) return []
  const found = bestInterval(measured, own)
  if (found === null) return []
  const value = { ...(found.isFirst ? {} : { from: found.from }), ...(found.isLast ? {} : { to: found.to }) }
  return [{ kind: 'range', path, value, found, all: own, tries: found.choices }]
}

/** What is not: tenant, worker, build and time. */
export const otherCandidates = (samples: readonly Marked[], all: Counts): readonly Candidate[] => {
  const named = (['tenant', 'worker', 'build'] as const).flatMap(kind => namesOf(samples, kind, all))
  return [...sharing(named), ...timeOf(samples, all)]
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

const timeOf = (samples: readonly Marked[], all: Counts): readonly Candidate[] => {
  if (all.failed === 0 || all.succeeded === 0) return []
  const found = bestInterval(
    samples.map(({ at, failed }) => ({ value: Date.parse(at), failed })),
    all,
  )
  if (found === null) return []
  const value = {
    ...(found.isFirst ? {} : { from: new Date(found.from).toISOString() }),
    ...(found.isLast ? {} : { to: new Date(found.to).toISOString() }),
  }
  return [{ kind: 'time', value, found, all, tries: found.choices }]
}
