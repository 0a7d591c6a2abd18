import type { Json } from '../../domain/command/events.ts'
import type { RowName } from '../postgres/drift.ts'

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

/** Findings up to a limit; past it they are only counted. */
export const createFindings = (limit: number) => {
  const kept: Finding[] = []
  let count = 0
  return {
    kept,
    count: () => count,
    isFull: () => count >= limit,
    add: (...found: readonly Finding[]): void => {
      count += found.length
      kept.push(...found.slice(0, Math.max(0, limit - kept.length)))
    },
  }
}

export type Findings = ReturnType<typeof createFindings>
