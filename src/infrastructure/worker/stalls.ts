const EVERY_MS = 500
/** A timer that is later than this is logged. */
const WORTH_MS = 1_000

interface StallOptions<Work> {
  readonly running: () => readonly Work[]
  readonly onStall: (ms: number, suspects: readonly Work[]) => void
}

/**
 * Notices a blocked event loop by a timer that comes late. The work that blocked it may have ended by then, so long work that
 * ended since the last check counts as running, too.
 */
export const watchStalls = <Work>({ running, onStall }: StallOptions<Work>) => {
  let last = 0
  let ended: Work[] = []
  let timer: NodeJS.Timeout | undefined
  const check = (): void => {
    const now = performance.now()
    const late = now - last - EVERY_MS
    if (late >= WORTH_MS) onStall(Math.round(late), [...ended, ...running()])
    last = now
    ended = []
  }
  return {
    start: (): void => {
      last = performance.now()
      timer = setInterval(check, EVERY_MS).unref()
    },
    ended: (work: Work, tookMs: number): void => {
      if (tookMs >= WORTH_MS) ended.push(work)
    },
    stop: (): void => clearInterval(timer),
  }
}
