import { jobId, jobName } from '../../../../src/domain/workflow-run/names.ts'
import { derivedId } from '../../../../src/infrastructure/shared/uuid-ids.ts'
import type { Ask } from '../ask.ts'
import type { Hostile } from '../people.ts'
import type { Prey } from '../prey.ts'
import type { Draw } from '../values.ts'

/** What a call is made of. */
export interface World extends Draw {
  /** Anything that somebody else has; an id of nobody where there is none yet. */
  readonly others: (kind: keyof Prey) => string
  /** Values of `Authorization` that open nothing. */
  readonly badTokens: readonly string[]
  /** What the caller has sent himself. */
  readonly own: readonly string[]
  /** So many bytes, or few once the caller has sent more than the disk of a long hour should hold. */
  readonly size: (bytes: number) => number
  /** An answer's cursor, with something changed in it. */
  readonly cursor: () => string
}

/** `refused`: never with 2xx. `own`: it may work, for what is the caller's own. */
export type Verdict = 'refused' | 'own'

/** One thing that people without scruples try. */
export type NastyCall = readonly [name: string, who: readonly Hostile[], verdict: Verdict, call: (world: World) => Ask]

export const senders: readonly Hostile[] = ['mallory', 'oscar']
export const operators: readonly Hostile[] = ['oscar']
export const customers: readonly Hostile[] = ['trudy']
export const all: readonly Hostile[] = ['mallory', 'oscar', 'trudy']

export const get = (path: string): Ask => ({ method: 'GET', path })
export const post = (path: string, body: unknown = {}): Ask => ({ method: 'POST', path, body })
export const remove = (path: string): Ask => ({ method: 'DELETE', path })
export const send = (body: object, domain = 'shop'): Ask =>
  post(`/domains/${domain}/commands`, { commandType: 'Nasty', data: 1, ...body })
export const batch = (commands: readonly unknown[], domain = 'shop'): Ask =>
  post(`/domains/${domain}/commands/batch`, { commands })
export const many = (count: number, command: (i: number) => object): readonly object[] =>
  Array.from({ length: count }, (_, i) => ({ commandType: 'Nasty', data: i, ...command(i) }))
/** Any text in an address; what cannot stand in one is replaced. */
export const enc = (text: string): string => encodeURIComponent(text.toWellFormed())

/** The id that a file's command gets in a round, also one that has not begun. */
export const fileOf = (run: string, round: number): string => derivedId(`workflow:${jobName(jobId(run, null), round)}`)
export const retryOf = (operation: string): string => derivedId(`operation:${operation}:1`)
