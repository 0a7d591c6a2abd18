import type { OtherPriority } from './flow/priority.ts'

/** Facts of the stream, stored with every event, so that no projection has to look them up. */
export interface EventContext {
  readonly commandType: string
  readonly correlationId: string
  readonly causationId: string | null
  readonly replyTo: string | null
  readonly tenantId: string | null
  /** Of a command: where it is not normal. */
  readonly priority?: OtherPriority
  /** Of a command: the lane it is in. */
  readonly lane?: string
  /** The W3C trace context the command was sent in, where there was one. */
  readonly traceparent?: string
}

/** An event as the log holds it. Revisions count from 0 in each stream, without gaps. */
export interface Recorded<Event> {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly event: Event
  readonly context: EventContext
}
