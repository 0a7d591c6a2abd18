/** Removes what has been handled, with one statement for all that end in one turn of the event loop. */
export const createRemovals = (remove: (msgIds: readonly string[]) => Promise<void>) => {
  let waiting: string[] = []
  let next: Promise<void> | null = null
  const flush = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve))
    const msgIds = waiting
    waiting = []
    next = null
    await remove(msgIds)
  }
  return {
    /** Resolves when the message is gone. */
    add: (msgId: string): Promise<void> => {
      waiting.push(msgId)
      next ??= flush()
      return next
    },
  }
}
