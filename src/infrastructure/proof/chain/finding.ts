import type { Json } from '../../../domain/json/json.ts'
import type { RowName } from '../../postgres/read-tables/drift.ts'

/** A difference from the log, or from the proof over it. */
export interface Finding {
  /**
   * `event`: an event was changed, removed, inserted or moved; `seal`: the chain over the whole log does not hold;
   * `row`: a read row differs from its events; `message`: a message is in the wrong place or differs from its command;
   * `archive`: files and records of moved streams do not match; `lane`: a command began while its lane was full, or before
   * one that was sent earlier; `reply`: a sender got two replies, or one for a command that has not ended.
   */
  readonly kind: 'event' | 'seal' | 'row' | 'message' | 'archive' | 'lane' | 'reply'
  /** The stream, or `seal <number>`, `queue <name>` or the name of a file. */
  readonly stream: string
  readonly revision: number | null
  /** Which row it is, where a stream has several. */
  readonly row?: RowName
  /** The column, or what else was compared; `*`: the whole. */
  readonly column: string
  readonly expected: Json
  readonly found: Json
  /** The finding in one sentence. */
  readonly message: string
}

/** What a check found to be wrong. */
export type FindingKind = Finding['kind']

/** Collects findings up to a limit for each kind; beyond it they are only counted. */
export const createFindings = (limit: number) => {
  const kept: Finding[] = []
  const counts = new Map<FindingKind, number>()
  const countOf = (kind: FindingKind): number => counts.get(kind) ?? 0
  return {
    kept,
    counts: (): Readonly<Partial<Record<FindingKind, number>>> => Object.fromEntries(counts),
    /** Nothing more of these kinds would be kept. */
    isFull: (...kinds: readonly FindingKind[]) => kinds.every(kind => countOf(kind) >= limit),
    add: (...found: readonly Finding[]): void => {
      for (const finding of found) {
        counts.set(finding.kind, countOf(finding.kind) + 1)
        if (countOf(finding.kind) <= limit) kept.push(finding)
      }
    },
  }
}

export type Findings = ReturnType<typeof createFindings>
