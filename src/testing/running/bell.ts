/** Tells what waits that something has changed. */
export interface Bell {
  /** Resolves at the next change after this call. */
  readonly changed: () => Promise<void>
  readonly ring: () => void
}

export const createBell = (): Bell => {
  let ring = (): void => {}
  let next: Promise<void> | null = null
  return {
    changed: () => {
      next ??= new Promise(resolve => {
        ring = resolve
      })
      return next
    },
    ring: () => {
      next = null
      ring()
    },
  }
}
