import type { ClientBase } from 'pg'
import { Pgmq } from 'pgmq-js'

/**
 * pgmq-js on the given connection, inside its open transaction. `Pgmq.new` would open its own pool: with TLS by default,
 * without a listener for errors, and with another connection for each call. The constructor is private only in TypeScript;
 * it takes the part of a pool that its calls use: a `connect` that lends a client. The version is pinned, see
 * docs/adr/0021.
 */
export const pgmqOn = (client: ClientBase): Pgmq => {
  const lent = { query: (text: string, values?: unknown[]) => client.query(text, values), release: () => {} }
  return Reflect.construct(Pgmq, [{ connect: async () => lent }]) as Pgmq
}
