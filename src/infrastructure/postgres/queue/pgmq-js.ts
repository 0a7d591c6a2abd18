import type { ClientBase } from 'pg'
import { Pgmq } from 'pgmq-js'

/**
 * pgmq-js on a connection of ours, inside the transaction that is open on it. `Pgmq.new` would open a pool of its own:
 * with TLS unless told otherwise, with nobody to hear its errors, and with another connection for each call. Its
 * constructor is private to TypeScript alone, and takes what its calls need of a pool: a `connect` that lends a client.
 * The version is pinned, see docs/adr/0021.
 */
export const pgmqOn = (client: ClientBase): Pgmq => {
  const lent = { query: (text: string, values?: unknown[]) => client.query(text, values), release: () => {} }
  return Reflect.construct(Pgmq, [{ connect: async () => lent }]) as Pgmq
}
