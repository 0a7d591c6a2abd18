import { type Candidate, LEAST_DIFFERENCE, otherCandidates, payloadCandidates } from './candidates.ts'
import { differenceOf, lnChance, shareOf } from './chance.ts'
import type { Explained, ExplainOptions, Finding, FindingKind } from './finding.ts'
import type { Sample } from './sample.ts'
import { sentenceOf } from './sentence.ts'

/** How likely it may be that a cause is found where there is none. */
const LN_MAX_CHANCE = Math.log(0.005)
const MOST_FINDINGS = 5
/** Shares this near to each other say the same. */
const SAME = 0.02

/**
 * Of two causes that fit equally well, the more specific and simpler one is first: a new build has new workers, and is there
 * since a time; a text of one length may be the same text.
 */
const PENALTY: Readonly<Record<FindingKind, number>> = {
  tenant: 0,
  build: 0.001,
  value: 0.002,
  type: 0.004,
  member: 0.006,
  worker: 0.008,
  range: 0.03,
  time: 0.05,
}

/**
 * What the failed commands of a cause have in common that the succeeded ones of the same type have not. A difference counts
 * only if chance would hardly give one as large among everything that was compared: without a cause there is no finding.
 */
export const explain = (
  failed: readonly Sample[],
  succeeded: readonly Sample[],
  { isHidden = () => false, failedAt = failed.map(({ at }) => Date.parse(at)) }: ExplainOptions = {},
): Explained => {
  const samples = [
    ...failed.map(sample => ({ ...sample, failed: true })),
    ...succeeded.map(sample => ({ ...sample, failed: false })),
  ]
  const all = { failed: failed.length, succeeded: succeeded.length }
  const findings = [...payloadCandidates(samples, isHidden), ...otherCandidates(samples, all, failedAt)]
  return { ...all, findings: best(findings.filter(standsOut)).map(toFinding) }
}

/** Payload, ranges, names and time are four families, each with the same part of the chance. */
const LN_FAMILIES = Math.log(4)

const standsOut = ({ found, all, tries }: Candidate): boolean =>
  differenceOf(found, all) >= LEAST_DIFFERENCE && lnChance(found, all) + Math.log(tries) + LN_FAMILIES <= LN_MAX_CHANCE

/** Of the time in other words: the time itself is simpler. */
const OTHER_WORDS = 0.03

const scoreOf = ({ kind, path = '', found, all, followsTime }: Candidate): number =>
  differenceOf(found, all) - PENALTY[kind] - (followsTime?.() ? OTHER_WORDS : 0) - path.split(/[.[]/).length * 1e-4

const best = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const kept: Candidate[] = []
  const sorted = candidates.map(one => ({ one, score: scoreOf(one) })).sort((a, b) => b.score - a.score)
  for (const { one } of sorted) {
    if (kept.length === MOST_FINDINGS) break
    if (!kept.some(before => saysTheSame(before, one))) kept.push(one)
  }
  return kept
}

/** Something else about the same member, or about one above or below it that the same commands have. */
const saysTheSame = (before: Candidate, one: Candidate): boolean => {
  if (before.path === undefined || one.path === undefined) return false
  const [a, b] = [pathOf(before), pathOf(one)]
  if (a === b) return true
  const isNear = a.startsWith(b) || b.startsWith(a)
  return (
    isNear &&
    Math.abs(shareOf(before.found.failed, before.all.failed) - shareOf(one.found.failed, one.all.failed)) < SAME &&
    Math.abs(shareOf(before.found.succeeded, before.all.succeeded) - shareOf(one.found.succeeded, one.all.succeeded)) <
      SAME
  )
}

const pathOf = ({ kind, path = '' }: Candidate): string => (kind === 'range' ? path.replace(/\.?length$/, '') : path)

const toFinding = ({ kind, path, value, found, all }: Candidate): Finding => {
  const shares = {
    failedShare: rounded(shareOf(found.failed, all.failed)),
    succeededShare: rounded(shareOf(found.succeeded, all.succeeded)),
  }
  const said = { kind, ...(path === undefined ? {} : { path }), value, ...shares }
  return { ...said, sentence: sentenceOf(said) }
}

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000
