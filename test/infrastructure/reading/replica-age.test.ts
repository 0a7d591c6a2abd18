import { afterEach, expect, test, vi } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createReplica } from '../../../src/infrastructure/postgres/replica/replica.ts'
import { createPool } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { createTestDatabase } from '../../support/database.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('what a look found is used no longer than its age is allowed, also while the next look gets no answer', async () => {
  const database = await createTestDatabase()
  const lookPool = createPool(database.url, 1)
  // this server accepts writes: it is made to look like its own standby
  const ask = lookPool.query.bind(lookPool)
  let answers = true
  const query = (text: string) =>
    answers
      ? ask(text.replace('pg_last_wal_replay_lsn()', 'pg_current_wal_lsn()').replace('pg_is_in_recovery()', 'true'))
      : new Promise(() => {})
  const standby = new Proxy(lookPool, { get: (on, name) => (name === 'query' ? query : Reflect.get(on, name)) })
  const replica = createReplica({
    primary: database.pool,
    pool: standby,
    lookPool: standby,
    maxLagMs: 1_000,
    log: silentLog,
  })
  try {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
    const read = () =>
      replica.read(
        async () => 'replica',
        async () => 'primary',
      )
    await replica.begin()
    expect(replica.health()).toMatchObject({ state: 'used', reason: null })
    expect(await read()).toBe('replica')
    answers = false
    await vi.advanceTimersByTimeAsync(990)
    expect(await read()).toBe('replica')
    await vi.advanceTimersByTimeAsync(20)
    expect(await read()).toBe('primary')
    // it has not been looked at since, so nothing else says that it is late
    expect(replica.health().state).toBe('used')
  } finally {
    vi.useRealTimers()
    await lookPool.end()
    await database.drop()
  }
})
