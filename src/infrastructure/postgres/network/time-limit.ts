/** How long a connection may take to be had, and PostgreSQL to answer one statement, when nobody says otherwise. */
export const USUAL_TIMEOUT_MS = 30_000

/** The same for what callers of HTTP read. */
export const USUAL_READ_TIMEOUT_MS = 10_000

const SHORTEST_MS = 10
/** No timer takes more. */
const LONGEST_MS = 2_147_483_647

export const isTimeout = (ms: number): boolean => Number.isInteger(ms) && ms >= SHORTEST_MS && ms <= LONGEST_MS

export const timeoutForm = `a whole number of milliseconds from ${SHORTEST_MS} to ${LONGEST_MS}`

/** The database has said nothing for so long: what it was asked may have been done, or may still be. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly ms: number
  constructor(ms: number) {
    super(`the database did not answer within ${ms} ms`)
    this.ms = ms
  }
}

/**
 * What `work` gives, or the error of `onLate` after `ms`. An answer that has arrived while the event loop stood still is
 * not late.
 */
export const answeredWithin = <A>(ms: number, work: Promise<A>, onLate: () => Error): Promise<A> =>
  new Promise((resolve, reject) => {
    let settled = false
    const late = (): void => {
      if (!settled) reject(onLate())
    }
    // timers come before what the sockets have received
    const timer = setTimeout(() => setImmediate(late), ms)
    const settle = (): void => {
      settled = true
      clearTimeout(timer)
    }
    work.then(
      answer => {
        settle()
        resolve(answer)
      },
      error => {
        settle()
        reject(error)
      },
    )
  })
