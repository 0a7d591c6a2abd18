export interface Progress {
  readonly step: () => void
  /** For work that is counted elsewhere, and whose total may grow. */
  readonly to: (value: number, total: number) => void
  /** Prints above the bar. */
  readonly above: (write: () => void) => void
  readonly end: () => void
}

/** Shorter work ends before a bar could be read. */
const WORTH_A_BAR = 10
const WIDTH = 40
const BETWEEN_DRAWINGS_MS = 100
/** The line of the bar without it. */
const CLEARED = '\r\u001b[K'

/** A bar on standard error, for people who wait at a terminal; nothing elsewhere. */
export const startProgress = (what: string, total: number): Progress => {
  if (process.stderr.isTTY !== true || total < WORTH_A_BAR) {
    return { step: () => {}, to: () => {}, above: write => write(), end: () => {} }
  }
  let value = 0
  let whole = total
  let drawnAt = Number.NEGATIVE_INFINITY
  const draw = (): void => {
    if (performance.now() - drawnAt < BETWEEN_DRAWINGS_MS) return
    drawnAt = performance.now()
    const full = Math.round(Math.min(1, value / whole) * WIDTH)
    process.stderr.write(`${CLEARED}${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${value} of ${whole} ${what}`)
  }
  draw()
  return {
    step: () => {
      value++
      draw()
    },
    to: (now, of) => {
      value = now
      whole = of
      draw()
    },
    above: write => {
      // the bar's line is blanked, and drawn again below at its next step
      process.stderr.write(CLEARED)
      write()
    },
    end: () => process.stderr.write(CLEARED),
  }
}

/** The progress of long work; each phase is counted separately. */
export interface PhaseProgress<Phase extends string> {
  readonly phase: Phase
  readonly done: number
  readonly total: number
}

/** A bar for each phase whose length is known; `names` says what is counted in it. */
export const startPhases = <Phase extends string>(names: Readonly<Record<Phase, string>>) => {
  let bar: Progress | null = null
  let present: Phase | null = null
  return {
    onProgress: ({ phase, done, total }: PhaseProgress<Phase>): void => {
      if (phase !== present) {
        bar?.end()
        present = phase
        bar = startProgress(names[phase], total)
      }
      bar?.to(done, total)
    },
    end: (): void => bar?.end(),
  }
}
