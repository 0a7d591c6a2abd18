import type { Fact, Subject } from '../ports/alerting/alert-work.ts'

export interface SubjectChanges {
  readonly puts: readonly (readonly [key: string, subject: Subject])[]
  /** What is over and was sent: the next time it is new again. */
  readonly over: readonly string[]
}

const DAY_MS = 24 * 3_600_000

/**
 * What changes when an alert sees these facts. A fact is sent once, and again when it was over in between, or when the newest
 * failure is a day younger than the one before. One that waits is sent, even if it is over by then. Pure.
 */
export const changesOf = (
  known: ReadonlyMap<string, Subject>,
  present: ReadonlyMap<string, Fact>,
  now: string,
): SubjectChanges => {
  const puts = [...present].flatMap(([key, facts]): SubjectChanges['puts'] => {
    const before = known.get(key)
    if (before === undefined) return [[key, { facts, lastAt: facts.last, pendingSince: now }]]
    const { lastAt, pendingSince } = before
    // that of late replies is the oldest, which changes as they are sent
    const isNews =
      facts.kind !== 'lateReplies' && pendingSince === null && Date.parse(facts.last) - Date.parse(lastAt) >= DAY_MS
    // the newest failure may have been dealt with, and has been seen all the same
    const newest = facts.last > lastAt ? facts.last : lastAt
    if (newest === lastAt && (pendingSince === null || facts.count === before.facts.count)) return []
    return [[key, { facts, lastAt: newest, pendingSince: isNews ? now : pendingSince }]]
  })
  const over = [...known].flatMap(([key, { pendingSince }]) => (present.has(key) || pendingSince !== null ? [] : [key]))
  return { puts, over }
}

/** So many at once are reported in one webhook. */
const MOST_SINGLE = 10
/** What has waited so long was held back, and is reported in one webhook with the others. */
const HELD_MS = 60_000

/** The subjects that are to be sent now, each inner list in one webhook. Pure. */
export const batchesOf = (
  pending: ReadonlyMap<string, Subject>,
  { digestMinutes, isQuiet }: { readonly digestMinutes: number | null; readonly isQuiet: boolean },
  now: string,
): readonly (readonly string[])[] => {
  const keys = [...pending.keys()]
  if (keys.length === 0 || isQuiet) return []
  const oldest = Math.min(...[...pending.values()].map(({ pendingSince }) => Date.parse(pendingSince ?? now)))
  const waited = Date.parse(now) - oldest
  if (digestMinutes !== null) return waited < digestMinutes * 60_000 ? [] : [keys]
  return keys.length > MOST_SINGLE || waited >= HELD_MS ? [keys] : keys.map(key => [key])
}
