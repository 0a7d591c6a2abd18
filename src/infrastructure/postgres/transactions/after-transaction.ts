import type { ClientBase } from 'pg'

/**
 * Calls `onFilled` with the queues that a caller's transaction has filled, after its commit or rollback; a call too many
 * does no harm. The client signals when it is idle, and knows whether it is in a transaction then. Where a client does not
 * know, there is no call, and workers find the messages by polling.
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
    const check = (): void => {
      if (client.getTransactionStatus() !== 'I') return
      client.off('drain', check)
      open.delete(client)
      onFilled(filled)
    }
    open.set(client, filled)
    client.on('drain', check)
    check()
  }
}
