import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addPackages, consumer, type Packed, run, runProgram, unpacked } from './consumer.ts'

let packed: Packed
let project: string
let database: TestDatabase

beforeAll(async () => {
  packed = await unpacked()
  project = await consumer(packed)
  database = await createTestDatabase()
})
afterAll(async () => {
  await database?.drop()
  await packed?.remove()
})

const program = `
import { createCommandBus } from 'commandbus'
import { allTelemetry, openTelemetry, prometheus } from 'commandbus/telemetry'
const databaseUrl = process.env.DATABASE_URL
const metrics = await prometheus({ databaseUrl })
const bus = createCommandBus({ databaseUrl, telemetry: allTelemetry(metrics.telemetry, await openTelemetry()) })
const worker = bus.worker({ domain: 'payments', handlers: { Charge: async () => 5 } })
await worker.start()
await bus.request('payments', 'Charge', {}, { timeoutMs: 20_000 })
const page = await metrics.page()
await bus.close()
await metrics.close()
console.log(JSON.stringify(page))
`

test('K3: a service has the metrics of its worker and the spans from commandbus/telemetry, when their packages are installed', async () => {
  const file = join(project, 'metrics.mjs')
  await writeFile(file, program)
  const refused = await run(process.execPath, [file], { cwd: project, env: { DATABASE_URL: database.url } })
  expect(refused.output).toContain(
    '`prometheus` of commandbus/telemetry needs a package that is not installed: run `npm install prom-client@15`',
  )
  await addPackages(project, ['prom-client', '@opentelemetry/api'])
  const page = await runProgram(file, { DATABASE_URL: database.url })
  expect(page).toMatch(/^commandbus_commands_total\{domain="payments",type="Charge",outcome="completed"\} 1$/m)
  expect(page).toMatch(/^commandbus_worker_slots\{domain="payments"\} \d+$/m)
  expect(page).toMatch(/^commandbus_database_up 1$/m)
  expect(page).toMatch(/^commandbus_queue_depth\{queue="payments__commands"\} 0$/m)
})
