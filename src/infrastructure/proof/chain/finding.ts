import type { Json } from '../../../domain/json/json.ts'
import type { RowName } from '../../postgres/read-tables/drift.ts'

/** What is not as the log, or the proof over it, says. */
export interface Finding {
  /**
   * `event`: an event was changed, removed, inserted or moved; `seal`: the chain over the whole log does not hold;
   * `row`: a read row is not what its events make; `message`: a message is not where or what its command says;
   * `archive`: what was moved to files does not add up.
   */
  readonly kind: 'event' | 'seal' | 'row' | 'message' | 'archive'
  /** The stream; `seal <number>`, `queue <name>` or the name of a file where it is no stream. */
  readonly stream: string
  readonly revision: number | null
  /** Which row it is, where a stream makes more rows than one. */
  readonly row?: RowName
  /** Column, or what else was compared; `*`: all of it, there or not. */
  readonly column: string
  readonly expected: Json
  readonly found: Json
  /** The same in one sentence. */
  readonly message: string
}

export type FindingKind = Finding['kind']

/** Findings up to a limit of each kind; past it they are only counted, so that many of one kind hide none of another. */
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
