import type { Json } from '../../domain/json/json.ts'
import type { Scope } from './authorization.ts'
import type { Page } from './reading/command-queries.ts'

/** A message on a command queue that no command of this bus sent, kept whole. Times are ISO 8601. */
export interface Stranger {
  readonly strangerId: string
  readonly domain: string
  readonly queue: string
  readonly msgId: string
  /** How often others had read it. */
  readonly reads: number
  readonly enqueuedAt: string
  /** Null: it was adopted or dropped, or is larger than lists contain; then its size and its beginning stand beside it. */
  readonly message: Json
  readonly messageBytes?: number
  readonly messagePreview?: string
  readonly headers: Json
  /** Why it is not a command of this bus. */
  readonly why: string
  readonly foundAt: string
  /** Null: it waits for an operator. */
  readonly outcome: 'adopted' | 'dropped' | null
  readonly settledAt: string | null
  readonly settledBy: string | null
  /** Why it was dropped. */
  readonly reason: string | null
  /** The command that it became. */
  readonly commandId: string | null
}

export interface StrangerChoice extends Scope {
  readonly domain?: string
  readonly queue?: string
  /** The command type that the message names, valid or not. */
  readonly messageType?: string
  /** 1-500. Default 100. */
  readonly limit?: number
}

/** Which messages of other programs `strangers.list` returns. */
export interface StrangerFilter extends StrangerChoice {
  /** True: those that were adopted or dropped. Default false: those that wait. */
  readonly settled?: boolean
  readonly cursor?: string
}

/** Those of the choice that wait; with `strangerIds`, only these. */
export interface WaitingStrangers extends StrangerChoice {
  readonly strangerIds?: readonly string[]
  /** Only those after this one. */
  readonly cursor?: string
}

/** What an operator says about strangers that cannot be adopted as they are. */
export interface AdoptChoice {
  /** The type of the command, instead of the one that the message names. */
  readonly commandType?: string
  /** The queue for the reply, instead of the one that the message names; null: no reply. */
  readonly replyTo?: string | null
  /** With a new id, and whatever domain the message names. */
  readonly asNew?: boolean
}

export interface TriedStranger {
  readonly strangerId: string
  readonly domain: string
  readonly commandId: string | null
  /** Null: it was adopted. */
  readonly reason: string | null
}

export interface StrangerStore {
  /** Newest first. */
  readonly list: (filter: StrangerFilter) => Promise<Page<Stranger>>
  /** Oldest first, with the size of each message. */
  readonly waiting: (
    choice: WaitingStrangers,
  ) => Promise<readonly { readonly strangerId: string; readonly domain: string; readonly bytes: number }[]>
  /** Adopts those that still wait, in one transaction. */
  readonly adopt: (
    strangerIds: readonly string[],
    choice: AdoptChoice & { readonly actor: string },
  ) => Promise<readonly TriedStranger[]>
  /** Drops those that still wait; returns their number. */
  readonly drop: (
    strangerIds: readonly string[],
    by: { readonly actor: string; readonly reason: string },
  ) => Promise<number>
}
