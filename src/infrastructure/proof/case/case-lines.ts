import * as t from 'io-ts'
import type { Json } from '../../../domain/json/json.ts'

/** The first line of a file. */
export interface CaseHeader {
  readonly format: 'commandbus'
  readonly version: 1
  /** `bundle`: a copy for an investigation; `archive`: moved out of the log. */
  readonly kind: 'bundle' | 'archive'
  readonly log: string
  readonly madeAt: string
  readonly madeBy: string
  /** The selection that it was made with. */
  readonly about: { readonly [name: string]: Json }
  /** Null: nothing was redacted. */
  readonly redacted: { readonly rules: readonly string[] } | null
  /** The last seal of the log when the file was made. */
  readonly seal: { readonly number: string; readonly hash: string }
}

const nullable = <C extends t.Mixed>(codec: C) => t.union([codec, t.null])
const hex = t.refinement(t.string, text => /^[0-9a-f]{64}$/.test(text), 'a SHA-256 in hex')
const digits = t.refinement(t.string, text => /^\d{1,19}$/.test(text), 'a number')

export const header: t.Type<CaseHeader, unknown, unknown> = t.type({
  format: t.literal('commandbus'),
  version: t.literal(1),
  kind: t.keyof({ bundle: null, archive: null }),
  log: t.string,
  madeAt: t.string,
  madeBy: t.string,
  about: t.record(t.string, t.any),
  redacted: nullable(t.type({ rules: t.array(t.string) })),
  seal: t.type({ number: digits, hash: t.string }),
}) as never

/**
 * An event, exactly as recorded: `data` and `meta` are JSON texts. If data was redacted, `dataHash` is the hash of the recorded
 * data and `redacted` lists the paths. `before` is the hash of the previous event where the file does not have it: a bundle
 * holds only those entries of a ledger that belong to its case.
 */
export const eventLine = t.type({
  event: t.intersection([
    t.type({
      stream: t.string,
      revision: t.number,
      id: t.string,
      type: t.string,
      recorded: t.string,
      msgId: nullable(digits),
      meta: t.string,
      data: t.string,
      hash: hex,
    }),
    t.partial({ dataHash: hex, redacted: t.array(t.string), before: hex }),
  ]),
})
export type EventLine = t.TypeOf<typeof eventLine>['event']

/** An archived message of pgmq, with its body as text. */
export const messageLine = t.type({
  message: t.type({
    queue: t.string,
    msgId: digits,
    readCt: t.number,
    enqueuedAt: t.string,
    archivedAt: t.string,
    body: t.string,
  }),
})
export type MessageLine = t.TypeOf<typeof messageLine>['message']

/** The last line: the counts, the hash of all bytes before it, and the signature of that hash. */
export const endLine = t.type({
  end: t.type({
    streams: t.number,
    events: t.number,
    messages: t.number,
    sha256: hex,
    key: t.string,
    signature: t.string,
  }),
})
export type EndLine = t.TypeOf<typeof endLine>['end']
