/** How often the clock is looked at. */
const EVERY_MS = 500
/** A look that is later than this is worth a line in the log. */
const WORTH_MS = 1_000

interface StallOptions<Work> {
  /** What is under way now. */
  readonly running: () => readonly Work[]
  readonly onStall: (ms: number, suspects: readonly Work[]) => void
}

/**
 * Notices an event loop that stood still, by a timer that comes late. Who computed all the time may have ended by then:
 * what took that long and ended since the last look counts as running, too.
 */
export const watchStalls = <Work>({ running, onStall }: StallOptions<Work>) => {
  let last = 0
  let ended: Work[] = []
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const now = performance.now()
    const late = now - last - EVERY_MS
    if (late >= WORTH_MS) onStall(Math.round(late), [...ended, ...running()])
    last = now
    ended = []
  }
  return {
    start: (): void => {
      last = performance.now()
      timer = setInterval(look, EVERY_MS).unref()
    },
    ended: (work: Work, tookMs: number): void => {
      if (tookMs >= WORTH_MS) ended.push(work)
    },
    stop: (): void => clearInterval(timer),
  }
}
