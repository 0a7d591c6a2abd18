import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandStream } from '../../../src/domain/command/names.ts'
import {
  commandIdIn,
  domainIn,
  ofCommands,
  streamOf,
} from '../../../src/infrastructure/postgres/log/command-streams.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('SQL and TypeScript build and parse stream names in the same way', async () => {
  for (const domain of ['a', 'shop', 'a-b.c_d']) {
    const command = { domain, commandId: randomUUID() }
    const { rows } = await database.pool.query(
      `select s.stream, ${domainIn('s.stream')} as domain, ${commandIdIn('s.stream')} as "commandId", ${ofCommands('s.stream')} as ours
       from (select $1::text as domain, $2::uuid as command_id) c cross join lateral (select ${streamOf('c')} collate "C" as stream) s`,
      [command.domain, command.commandId],
    )
    expect(rows).toEqual([{ stream: commandStream(command), ...command, ours: true }])
  }
})

test('the planner inlines the function, so that a stream is found by the index', async () => {
  const { rows } = await database.pool.query(
    `explain (verbose, costs off) select e.type from command_bus_command c
     join command_bus_event e on e.stream = ${streamOf('c')} and e.revision = c.revision where c.command_id = $1::uuid`,
    [randomUUID()],
  )
  const plan = rows.map(row => row['QUERY PLAN']).join('\n')
  expect(plan).not.toContain('command_bus_command_stream')
  expect(plan).toMatch(/Index Scan using command_bus_event_pkey/)
})
