import pg from 'pg'

export type Cut = 'before commit' | 'after commit'

/** A connection like those of `pool` that breaks at a commit: before it is sent, or before its answer arrives. */
export const cutClient = (pool: pg.Pool, at: () => Cut | null): pg.Client => {
  const client = new pg.Client(pool.options)
  const query = client.query.bind(client) as (...given: readonly unknown[]) => Promise<unknown>
  const cut = (): never => {
    ;(client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy()
    throw Object.assign(new Error('cut'), { code: 'ECONNRESET' })
  }
  const cutting = async (...given: readonly unknown[]): Promise<unknown> => {
    const when = given[0] === 'commit' ? at() : null
    if (when === 'before commit') cut()
    const answer = await query(...given)
    if (when === 'after commit') cut()
    return answer
  }
  return Object.assign(client, { query: cutting as typeof client.query })
}
