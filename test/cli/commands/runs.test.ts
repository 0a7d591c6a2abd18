import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('runs and credits: a grant, a template, a run, its preview and its end by cancelling', async () => {
  const { database } = await createTestBus()
  const run = (...args: readonly string[]) => program.run([...args], { env: { DATABASE_URL: database.url } })
  const granted = await run('credits', 'grant', 'monthly', '10', '--reason', 'plan', '--by', 'ada')
  expect(granted).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Tenant default: 10 monthly credits \(\d{4}-\d{2}\), 0/),
  })
  const template = (await run('runs', 'templates', 'create', 'Summaries', '--price', '3', '--json')).json()
  expect(template).toMatchObject({ name: 'Summaries', creditsPerRun: 3, tenantId: null })
  const start = [
    'runs',
    'start',
    '--template',
    String(template.id),
    '--files',
    '[{"fileName": "a.pdf"}, {"fileName": "b.pdf"}]',
  ]
  const started = (await run(...start, '--json')).json()
  expect(started).toMatchObject({ status: 'QUEUED', totalJobs: 2, creditsConsumed: 6, maxRetryCount: 3 })
  const id = String(started.id)
  expect(await run(...start)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('needs 6 credits and 4 are left'),
  })
  expect((await run('runs', 'continue', id, '--preview')).stdout).toContain('is QUEUED: wait until it has ended')
  expect((await run('runs', 'show', id)).stdout).toMatch(/Status +QUEUED\nRound +1: 0 completed/)
  expect((await run('runs', 'cancel', id, '--reason', 'wrong files')).stdout).toBe(`Run ${id} is CANCELLED.\n`)
  expect((await run('credits', 'show')).stdout).toMatch(
    /^Tenant default: 10 monthly credits[\s\S]*REFUND[\s\S]*CHARGE[\s\S]*GRANT/,
  )
  expect((await run('runs', 'list', '--status', 'cancelled')).stdout).toContain(id)
  expect(await run('runs', 'show', 'x')).toMatchObject({ code: 2 })
})
