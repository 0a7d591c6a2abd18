import { Presets, SingleBar } from 'cli-progress'

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

/** A bar on standard error, for people who wait at a terminal; nothing elsewhere. */
export const startProgress = (what: string, total: number): Progress => {
  if (process.stderr.isTTY !== true || total < WORTH_A_BAR) {
    return { step: () => {}, to: () => {}, above: write => write(), end: () => {} }
  }
  const bar = new SingleBar(
    { format: `{bar} {value} of {total} ${what}`, stream: process.stderr, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return {
    step: () => bar.increment(),
    to: (value, of) => {
      bar.setTotal(of)
      bar.update(value)
    },
    above: write => {
      // the bar's line is blanked, and drawn again below at its next step
      process.stderr.write('\r\u001b[K')
      write()
    },
    end: () => bar.stop(),
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
