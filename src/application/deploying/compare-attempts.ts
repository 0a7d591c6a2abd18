import type { Json } from '../../domain/json/json.ts'
import { type Change, jsonDiff } from '../../domain/json/json-diff.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'

export const verdicts = ['same', 'other-result', 'newly-failing', 'newly-succeeding'] as const

/** What has become of an attempt. Two failures with another type or code are `other-result`, too. */
export type Verdict = (typeof verdicts)[number]

export interface Comparison {
  readonly verdict: Verdict
  /** With paths below `/result`, `/sent` or `/error`; empty unless both succeeded or both failed. */
  readonly differences: readonly Change[]
}

/** A path such as `result.items.*.at` as its names; `*` stands for any name and any item of a list. */
export type IgnoredPath = readonly string[]

export const ignoredPathOf = (text: string): IgnoredPath => text.split('.')

/** Compares two ends of an attempt. Differences at or below an ignored path do not count, and messages are not compared. */
export const compareAttempts = (
  before: AttemptOutcome,
  now: AttemptOutcome,
  ignored: readonly IgnoredPath[] = [],
): Comparison => {
  if (before.kind !== now.kind) {
    return { verdict: now.kind === 'failed' ? 'newly-failing' : 'newly-succeeding', differences: [] }
  }
  const differences = differencesOf(before, now).filter(({ path }) => !ignored.some(one => covers(one, namesOf(path))))
  return { verdict: differences.length === 0 ? 'same' : 'other-result', differences }
}

const differencesOf = (before: AttemptOutcome, now: AttemptOutcome): readonly Change[] => {
  if (before.kind === 'failed' && now.kind === 'failed') {
    return isSameEnd(before, now) ? [] : jsonDiff(errorOf(before), errorOf(now), '/error')
  }
  if (before.kind !== 'succeeded' || now.kind !== 'succeeded') return []
  const sent = before.sent === undefined || now.sent === undefined ? [] : [before.sent, now.sent]
  return [
    ...jsonDiff(before.result, now.result, '/result'),
    ...jsonDiff((sent[0] ?? []) as unknown as Json, (sent[1] ?? []) as unknown as Json, '/sent'),
  ]
}

type Failed = Extract<AttemptOutcome, { kind: 'failed' }>

const errorOf = ({ type, code }: Failed): Json => ({ type, code })

const isSameEnd = (before: Failed, now: Failed): boolean => {
  const [end, endNow] = [endOf(before), endOf(now)]
  return end === null && endNow === null ? before.type === now.type && before.code === now.code : end === endNow
}

/** A worker and a rehearsal have different words for a process that died, and for a handler that did not end. */
const endOf = ({ type, code }: Failed): 'died' | 'did not end' | null => {
  if (type === 'CRASHED' || type === 'LEASE_LOST') return 'died'
  const isLate = type === 'TIMEOUT' || type === 'ATTEMPT_ENDED' || (type === 'TRANSIENT' && code === 'TIMEOUT')
  return isLate ? 'did not end' : null
}

/** The names in a JSON Pointer. */
export const namesOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'))

const covers = (ignored: IgnoredPath, names: readonly string[]): boolean =>
  ignored.length <= names.length && ignored.every((name, i) => name === '*' || name === names[i])
