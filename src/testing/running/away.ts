import { UnavailableError } from '../../application/shared/errors.ts'

/** Makes the store unreachable for a while. `onWait`: somebody waits for it now. */
export const createAway = (onWait: () => void) => {
  let isAway = false
  let isBrief = false
  const waiting = new Set<() => void>()

  const check = (): void => {
    if (isAway) throw new StoreAwayError()
  }

  return {
    isAway: (): boolean => isAway,
    /** `briefly`: it is back when nothing else goes on. */
    leave: (briefly = false): void => {
      isBrief = briefly && (isBrief || !isAway)
      isAway = true
    },
    isBrief: (): boolean => isAway && isBrief,
    back: (): void => {
      isAway = false
      for (const goOn of [...waiting]) goOn()
    },
    check,
    /** The calls fail while the store is away. */
    unlessAway: <Calls extends object>(calls: Calls): Calls =>
      Object.fromEntries(
        Object.entries(calls).map(([name, call]) => [
          name,
          typeof call !== 'function'
            ? call
            : async (...args: unknown[]) => {
                check()
                return call(...args)
              },
        ]),
      ) as Calls,
    /** Resolves when the store is back, whatever time that takes. */
    wait: (_: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          waiting.delete(end)
          resolve()
        }
        waiting.add(end)
        onWait()
        signal.addEventListener('abort', () => {
          waiting.delete(end)
          reject(signal.reason)
        })
      }),
  }
}

export type Away = ReturnType<typeof createAway>

export const isStoreAway = (error: unknown): boolean => error instanceof StoreAwayError

class StoreAwayError extends UnavailableError {
  constructor() {
    super('the store is away: call the function that `inject.storeAway` returned')
  }
}
