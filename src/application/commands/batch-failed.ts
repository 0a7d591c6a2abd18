import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'

/** The outcome of one command of a batch. */
export interface BatchItem {
  readonly commandId: string
  /**
   * - `accepted`: it was sent.
   * - `duplicate`: it was sent before.
   * - `taken`: its id belongs to another tenant's command.
   * - `unknown`: the failure leaves open whether it was stored. It is safe to send it again with its `commandId`.
   * - `unsent`: it was not stored.
   */
  readonly outcome: 'accepted' | 'duplicate' | 'taken' | 'unknown' | 'unsent'
  /** The id of the message on the queue; null where it is not known. */
  readonly msgId: string | null
}

/**
 * One statement of a batch failed; the commands of the others stay sent. `results` has the outcome of each command, and
 * `cause` the error. To send what is missing, send the batch again with the same command ids. With a client of the
 * caller's everything is `unsent`: roll the transaction back.
 */
export class BatchFailedError extends CommandBusError {
  override readonly name = 'BatchFailedError'
  // private, so that a logged error does not print up to 10,000 results
  readonly #results: readonly BatchItem[]
  constructor(results: readonly BatchItem[], cause: Error, isWithin: boolean) {
    super('BATCH_FAILED', `${summaryOf(results, isWithin)}: ${reasonOf(cause)}`, { cause })
    this.#results = results
  }

  /** One for each command, in the order given. */
  get results(): readonly BatchItem[] {
    return this.#results
  }
}

brandErrors({ BatchFailedError })

const summaryOf = (results: readonly BatchItem[], isWithin: boolean): string => {
  if (isWithin) return 'the batch failed: roll your transaction back, and nothing of it is sent'
  const count = (wanted: BatchItem['outcome']): number => results.filter(({ outcome }) => outcome === wanted).length
  return (
    `${count('accepted')} of ${results.length} commands were accepted before the batch failed ` +
    `(${count('duplicate') + count('taken')} duplicate or taken, ${count('unknown')} unknown, ${count('unsent')} unsent; see results): ` +
    'send the others again with the same command ids'
  )
}

/** A database's message may contain payloads, so it stays in `cause`. */
const reasonOf = (cause: Error): string =>
  cause instanceof CommandBusError ? cause.message : 'see the cause of this error'
