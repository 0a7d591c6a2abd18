import { setImmediate as nextTurn } from 'node:timers/promises'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { databaseOn } from '../../../src/infrastructure/postgres/connection/database.ts'

test('G6: a connection that is passed on many times at once has one listener', async () => {
  const pool = new pg.Pool({ connectionString: inject('serverUrl'), max: 1 })
  onTestFinished(() => pool.end())
  const warnings: string[] = []
  const onWarning = ({ message }: Error) => void warnings.push(message)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const held = await pool.connect()
  const database = databaseOn(pool, { timeoutMs: 20 })
  const late = await Promise.allSettled(Array.from({ length: 40 }, () => database.connect()))
  expect(late.filter(({ status }) => status === 'rejected')).toHaveLength(40)
  held.release()
  await nextTurn()
  await nextTurn()
  expect(warnings).toEqual([])
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
