import type { CommandEvent } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import type { FollowUp, RehearsalAnswer, RehearsalRequest } from './rehearsals.ts'

/** Which commands of the past a report is about. */
export interface PastFilter {
  readonly domains: readonly string[]
  /** Missing: all. */
  readonly commandTypes?: readonly string[]
  /** Those that were sent since then and have ended. */
  readonly since: string
  /** Parked ones too, whenever they were sent. */
  readonly withParked: boolean
}

/** The past commands of a type, those that are parked by themselves. */
export interface PastClass {
  readonly domain: string
  readonly commandType: string
  readonly isParked: boolean
  readonly count: number
}

export interface PastCommand {
  readonly domain: string
  readonly commandType: string
  readonly commandId: string
}

export interface PastHistory {
  readonly command: PastCommand
  /** From the first event on; empty: its history is archived. */
  readonly events: readonly CommandEvent[]
  /** The commands that were sent in the transaction of its completion; missing: not known. */
  readonly sent?: readonly FollowUp[]
}

/** Reads past commands from the read tables and the log. */
export interface PastCommands {
  readonly classes: (filter: PastFilter) => Promise<readonly PastClass[]>
  /** Of each class its newest commands, `take` of them; all together the oldest first. */
  readonly newest: (
    filter: PastFilter,
    classes: readonly (PastClass & { readonly take: number })[],
  ) => Promise<readonly PastCommand[]>
  readonly histories: (commands: readonly PastCommand[]) => Promise<readonly PastHistory[]>
}

/** A handler of a module. */
export interface ModuleHandler {
  readonly domain: string
  /** `*`: of every type that has none of its own. */
  readonly commandType: string
  /** Why it cannot be rehearsed; null: it can. */
  readonly refusal: string | null
  /** What it declares as sensitive. */
  readonly sensitive: readonly string[]
}

/** A process that has the handlers of a module, and rehearses one command after the other. */
export interface RehearsalSession {
  /** @throws UnavailableError where the module cannot be loaded */
  readonly handlers: () => Promise<readonly ModuleHandler[]>
  /** Runs the handler. Its transaction is rolled back before the answer, also when it has ended its process. */
  readonly run: (request: RehearsalRequest) => Promise<RehearsalAnswer>
  readonly close: () => Promise<void>
}

export type PayloadKind = 'waiting' | 'parked' | 'past'

/** The present payload of a command. */
export interface StoredPayload {
  readonly commandType: string
  readonly commandId: string
  readonly kind: PayloadKind
  readonly data: Json
}

export interface PayloadFilter {
  readonly domain: string
  /** Null: all. */
  readonly commandTypes: readonly string[] | null
  /** Those that wait or are parked, and the others that were sent since then. */
  readonly since: string
}

/** Commands of a type that wait or are parked. */
export interface OpenType {
  readonly domain: string
  readonly commandType: string
  readonly waiting: number
  readonly parked: number
}

export interface Payloads {
  /** In pages that are bounded by their size. */
  readonly pages: (filter: PayloadFilter) => AsyncIterable<readonly StoredPayload[]>
  readonly openTypes: (domains: readonly string[]) => Promise<readonly OpenType[]>
}
