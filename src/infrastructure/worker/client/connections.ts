import type { Pool, PoolClient } from 'pg'

/** Connections of the pool that handlers leave free for sends. */
const LEFT_FREE = 2

export interface HandlerConnections {
  /** Handlers that may hold a connection at once; 0: the pool is too small for any. */
  readonly max: number
  /** Connections of the whole pool. */
  readonly poolSize: number
  /** Waits for a turn, then for a connection. Call its `release` once; with an error it closes the connection. */
  readonly connect: () => Promise<HandlerConnection>
}

export interface HandlerConnection {
  readonly client: PoolClient
  readonly release: (broken?: Error) => void
}

/** The pool size that this many transactional handlers need at once. */
export const poolSizeFor = (handlers: number): number => handlers + LEFT_FREE

/**
 * The connections of transactional handlers, each held while its handler runs. They never take the last ones of the pool: a
 * handler that waits for a send would wait for itself.
 */
export const createHandlerConnections = (pool: Pool): HandlerConnections => {
  const poolSize = pool.options.max
  const max = poolSize - Math.min(LEFT_FREE, Math.max(1, poolSize - 1))
  const waiting: (() => void)[] = []
  let held = 0

  const turn = async (): Promise<void> => {
    if (held < max) held++
    else await new Promise<void>(resolve => waiting.push(resolve))
  }
  const pass = (): void => {
    const next = waiting.shift()
    if (next === undefined) held--
    else next()
  }

  return {
    max,
    poolSize,
    connect: async () => {
      await turn()
      try {
        const client = await pool.connect()
        return {
          client,
          release: broken => {
            client.release(broken)
            pass()
          },
        }
      } catch (error) {
        pass()
        throw error
      }
    },
  }
}
