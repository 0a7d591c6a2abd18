/**
 * Receives what metrics and traces need. An implementation must be fast and must never throw. `traceparent` is
 * the W3C trace context that travels with a command.
 */
export interface Telemetry {
  /** Commands of one domain are about to be sent together. */
  readonly sending: (send: SendFacts) => Sending
  /** A worker begins an attempt. */
  readonly attempting: (attempt: AttemptFacts) => Attempt
  /** A worker has started; the returned function is called when it stops. */
  readonly working: (worker: WorkerFacts) => () => void
  /** A worker has found messages that no command of this bus sent. */
  readonly strangers?: (found: StrangerFacts) => void
}

/** Messages of other programs that a worker found. */
export interface StrangerFacts {
  readonly domain: string
  /** How many became commands, and how many wait for an operator. */
  readonly adopted: number
  readonly kept: number
}

/** What is known of a send when it begins. */
export interface SendFacts {
  readonly domain: string
  readonly commandTypes: readonly string[]
  /** The sender's trace context, if the sender gave one. */
  readonly traceparent?: string
}

/** A span around one send. */
export interface Sending {
  /** The trace context for every command of this send; undefined: none. */
  readonly traceparent: string | undefined
  /** One outcome for each command, in their order. */
  readonly done: (outcomes: readonly SendOutcomeKind[]) => void
  /** The send threw. */
  readonly failed: (error: unknown) => void
}

/** What became of a command that was sent. */
export type SendOutcomeKind = 'accepted' | 'duplicate' | 'taken'

/** What is known of an attempt when it begins. */
export interface AttemptFacts {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  readonly correlationId: string
  readonly attempt: number
  readonly traceparent?: string
}

/** A span around one attempt. */
export interface Attempt {
  /** Runs the handler in the trace of this attempt. */
  readonly run: <A>(handler: () => A) => A
  /** The handler has ended; its outcome is not in the log yet. */
  readonly handled: () => void
  /** Called once. */
  readonly ended: (end: AttemptEnd) => void
}

/**
 * `retried`: it failed and is tried again later; `stale`: the attempt no longer counted; `lost`: its outcome could not be
 * recorded.
 */
export type AttemptOutcome = 'completed' | 'retried' | 'failed' | 'parked' | 'stale' | 'lost'

/** How an attempt ended, and how long it took. */
export interface AttemptEnd {
  readonly outcome: AttemptOutcome
  readonly error?: { readonly code: string; readonly message: string }
  /** The sender got a reply. */
  readonly replied: boolean
}

/** What is known of a worker. */
export interface WorkerFacts {
  readonly domain: string
  readonly workerId: string
  readonly slots: number
  /** How many handlers run. */
  readonly busy: () => number
}

const nothing = (): void => {}
const silentSending: Sending = { traceparent: undefined, done: nothing, failed: nothing }
const silentAttempt: Attempt = { run: handler => handler(), handled: nothing, ended: nothing }

/** Records nothing; a sender's trace context is still passed on. */
export const silentTelemetry: Telemetry = {
  sending: ({ traceparent }) => (traceparent === undefined ? silentSending : { ...silentSending, traceparent }),
  attempting: () => silentAttempt,
  working: () => nothing,
}

/** Combines several implementations. The trace context is the first one that is defined. */
export const allTelemetry = (...all: readonly Telemetry[]): Telemetry => ({
  sending: facts => {
    const sendings = all.map(one => one.sending(facts))
    return {
      traceparent: sendings.find(({ traceparent }) => traceparent !== undefined)?.traceparent ?? facts.traceparent,
      done: outcomes => {
        for (const sending of sendings) sending.done(outcomes)
      },
      failed: error => {
        for (const sending of sendings) sending.failed(error)
      },
    }
  },
  attempting: facts => {
    const attempts = all.map(one => one.attempting(facts))
    return {
      run: handler => attempts.reduceRight((next, attempt) => () => attempt.run(next), handler)(),
      handled: () => {
        for (const attempt of attempts) attempt.handled()
      },
      ended: end => {
        for (const attempt of attempts) attempt.ended(end)
      },
    }
  },
  working: facts => {
    const stops = all.map(one => one.working(facts))
    return () => {
      for (const stop of stops) stop()
    }
  },
  strangers: found => {
    for (const one of all) one.strangers?.(found)
  },
})
