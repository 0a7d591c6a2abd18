import { RECEIPT_AFTER_MS, type Run } from './run.ts'

/**
 * Calls `tookLong` of the runs that last for RECEIPT_AFTER_MS. One timer for all of them: most runs end long before, and a timer
 * for each would cost more than they do. `handling` is in the order in which they began.
 */
export const watchShortRuns = (handling: ReadonlySet<Run>) => {
  let timer: NodeJS.Timeout | null = null

  const check = (): void => {
    timer = null
    const now = performance.now()
    for (const run of handling) {
      if (!run.isShort()) continue
      const left = run.began + RECEIPT_AFTER_MS - now
      if (left > 0) {
        start(left)
        return
      }
      run.tookLong()
    }
  }

  const start = (ms: number): void => {
    timer = setTimeout(check, Math.ceil(ms))
  }

  return {
    /** A run has been added. */
    added: (): void => {
      if (timer === null) start(RECEIPT_AFTER_MS)
    },
  }
}
