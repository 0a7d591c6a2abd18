import type { ClientBase } from 'pg'

/**
 * Tells of queues that a caller's transaction has filled once it has ended, one way or the other: whoever is told too
 * often finds nothing. The client says when it has nothing left to do, and whether it is in a transaction then; one that
 * does not know is not waited for, and the queue is found by polling.
 */
export const createAfterTransaction = (onFilled: (queues: ReadonlySet<string>) => void) => {
  const open = new WeakMap<ClientBase, Set<string>>()

  return (client: ClientBase, queues: ReadonlySet<string>): void => {
    const known = open.get(client)
    if (known !== undefined) {
      for (const queue of queues) known.add(queue)
      return
    }
    if (typeof client.getTransactionStatus !== 'function') return
    const filled = new Set(queues)
    const look = (): void => {
      if (client.getTransactionStatus() !== 'I') return
      client.off('drain', look)
      open.delete(client)
      onFilled(filled)
    }
    open.set(client, filled)
    client.on('drain', look)
    look()
  }
}
