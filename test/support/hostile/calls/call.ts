import { jobId, jobName } from '../../../../src/domain/workflow-run/names.ts'
import { derivedId } from '../../../../src/infrastructure/shared/uuid-ids.ts'
import type { Ask } from '../ask.ts'
import type { Hostile } from '../people.ts'
import type { Prey } from '../prey.ts'
import type { Draw } from '../values.ts'

/** The values from which a call is made. */
export interface World extends Draw {
  /** The id of something of another user; an unknown id where there is none yet. */
  readonly others: (kind: keyof Prey) => string
  /** Values of `Authorization` that give no access. */
  readonly badTokens: readonly string[]
  /** Ids of commands that the caller has sent. */
  readonly own: readonly string[]
  /** This many bytes, or few once the caller has sent so many that a long test would fill the disk. */
  readonly size: (bytes: number) => number
  /** A cursor of an answer, changed. */
  readonly cursor: () => string
}

/** `refused`: never answered with 2xx. `own`: may work, on the caller's own things. */
export type Verdict = 'refused' | 'own'

/** A call that a hostile user tries. */
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
/** Encodes any text for a URL; replaces what cannot be encoded. */
export const enc = (text: string): string => encodeURIComponent(text.toWellFormed())

/** The id of a file's command in a round, also in one that has not begun. */
export const fileOf = (run: string, round: number): string => derivedId(`workflow:${jobName(jobId(run, null), round)}`)
export const retryOf = (operation: string): string => derivedId(`operation:${operation}:1`)
