/** Default time limit for getting a connection, and for the answer to one statement. */
export const USUAL_TIMEOUT_MS = 30_000

/** The same for reads over HTTP. */
export const USUAL_READ_TIMEOUT_MS = 10_000

const SHORTEST_MS = 10
/** The longest time that a timer of Node.js takes. */
const LONGEST_MS = 2_147_483_647

export const isTimeout = (ms: number): boolean => Number.isInteger(ms) && ms >= SHORTEST_MS && ms <= LONGEST_MS

export const timeoutForm = `a whole number of milliseconds from ${SHORTEST_MS} to ${LONGEST_MS}`

/** The database did not answer in time. It may have run the statement, or may still run it. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly ms: number
  constructor(ms: number) {
    super(`the database did not answer within ${ms} ms`)
    this.ms = ms
  }
}

/**
 * Resolves with the result of `work`, or rejects with the error of `onLate` after `ms`. An answer that arrived while the
 * event loop was blocked is not late.
 */
export const answeredWithin = <A>(ms: number, work: Promise<A>, onLate: () => Error): Promise<A> =>
  new Promise((resolve, reject) => {
    let settled = false
    const late = (): void => {
      if (!settled) reject(onLate())
    }
    // timers run before the data that the sockets have received
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
