/** Wakes one waiting loop. A wake while nobody waits ends the next wait at once. */
export interface WakeUp {
  readonly wake: () => void
  /** Resolves at the next wake, or after `ms`. */
  readonly wait: (ms: number) => Promise<void>
}

export const createWakeUp = (): WakeUp => {
  let pending = false
  let release: (() => void) | null = null
  return {
    wake: () => {
      if (release === null) pending = true
      else release()
    },
    wait: ms =>
      new Promise(resolve => {
        if (pending) {
          pending = false
          resolve()
          return
        }
        const end = (): void => {
          clearTimeout(timer)
          release = null
          resolve()
        }
        const timer = setTimeout(end, Math.min(ms, 2_147_483_647))
        release = end
      }),
  }
}
