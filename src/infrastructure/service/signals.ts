/** The same signal often comes twice: from the terminal, and once more from npm, which passes it on. */
const SAME_SIGNAL_MS = 1000

export interface Stop {
  /** Resolves with the reason, in words, when the process is asked to end. */
  readonly promise: Promise<string>
  /** Asks the process to end, from within. */
  readonly ask: (why: string) => void
  readonly requested: () => boolean
  /** The exit code for the reason. */
  readonly exitCode: () => number
  /** Restores the usual effect of signals. */
  readonly dispose: () => void
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

/**
 * The first SIGINT, SIGTERM or SIGHUP asks for a graceful end. A later one calls `force` and ends the process at once.
 */
export const listenForStop = (force: () => void = () => {}): Stop => {
  let resolve: (why: string) => void = () => {}
  let askedAt = 0
  let code = 0
  const promise = new Promise<string>(r => {
    resolve = r
  })
  const ask = (why: string): void => {
    askedAt ||= Date.now()
    resolve(why)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    const number = 128 + NUMBERS[signal as keyof typeof NUMBERS]
    if (askedAt !== 0 && Date.now() - askedAt > SAME_SIGNAL_MS) {
      force()
      process.exit(number)
    }
    code ||= number
    ask(signal)
  }
  const names = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]
  for (const name of names) process.on(name, onSignal)
  return {
    promise,
    ask,
    requested: () => askedAt !== 0,
    exitCode: () => code,
    dispose: () => {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
