import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'

/** What became of one command of a batch that failed. */
export interface BatchItem {
  readonly commandId: string
  /**
   * - `accepted`: it was sent.
   * - `duplicate`: it was there already.
   * - `taken`: its id belongs to another tenant's command.
   * - `unknown`: the call failed in a way that leaves open whether it was stored. Sent again with its `commandId` it is
   *   there once.
   * - `unsent`: nothing of it was stored.
   */
  readonly outcome: 'accepted' | 'duplicate' | 'taken' | 'unknown' | 'unsent'
  /** The message on the queue; null where none is known. */
  readonly msgId: string | null
}

/**
 * A batch that was cut in several statements failed in one of them: what came before it stays sent. `results` tells of
 * each command, in the order given; sending the batch again with these command ids sends what is missing. `cause` is
 * why. In a transaction of the caller's everything is `unsent`: roll it back.
 */
export class BatchFailedError extends CommandBusError {
  override readonly name = 'BatchFailedError'
  // not a member of its own: whoever logs this error would log up to 10,000 lines with it
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

/** What a database says may hold payloads: that is for whoever looks at the cause. */
const reasonOf = (cause: Error): string =>
  cause instanceof CommandBusError ? cause.message : 'see the cause of this error'
