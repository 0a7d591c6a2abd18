import type { QueryResultRow } from 'pg'
import { expect, test } from 'vitest'
import { contentOf, listQueues } from '../../../src/infrastructure/postgres/queue/queue-admin.ts'
import { createTestBus } from '../../support/bus.ts'

test('G7: the purpose of a queue is found without reading all commands, however few of them name it', async () => {
  const { bus, pool } = await createTestBus()
  for (const queue of ['answers', 'emails']) await pool.query('select pgmq.create($1)', [queue])
  // a quiet domain names it, and a busy one has sent many commands since
  await bus.send('quiet', 'Ask', {}, { replyTo: 'answers' })
  for (let batch = 0; batch < 5; batch++) {
    await bus.sendBatch(
      'busy',
      Array.from({ length: 1_000 }, () => ({ commandType: 'Charge', data: {} })),
    )
  }
  await pool.query('vacuum analyze command_bus_command')

  const plans: string[] = []
  const explaining = {
    query: async (text: string, values: unknown[] = []) => {
      const { rows } = await pool.query(`explain ${text}`, values)
      plans.push(rows.map((row: QueryResultRow) => row['QUERY PLAN']).join('\n'))
      return pool.query(text, values)
    },
  } as never
  expect((await contentOf(explaining, 'answers')).kind).toBe('replies')
  expect((await contentOf(explaining, 'emails')).kind).toBe('other')
  expect(plans.join('\n')).toContain('command_bus_command')
  expect(plans.join('\n')).not.toContain('Seq Scan on command_bus_command')
  const listed = (await listQueues(pool)).map(({ queue, kind }) => [queue, kind])
  expect(listed).toEqual([
    ['answers', 'replies'],
    ['busy__commands', 'commands'],
    ['emails', 'other'],
    ['quiet__commands', 'commands'],
  ])
})
