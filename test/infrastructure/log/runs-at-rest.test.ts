import { expect, test } from 'vitest'
import { createWorkflowQueries } from '../../../src/infrastructure/postgres/reading/workflow-queries.ts'
import { createTestRuns, files, jane } from '../../support/runs.ts'

test.each([1, -1])('R22: stalled runs are found by the clock of the database: written %i h off', async hours => {
  const clock = { now: () => new Date(Date.now() + hours * 3_600_000), random: Math.random }
  const { bus, pool, template } = await createTestRuns({ clock })
  const { id } = await bus.runs.initiate(jane, {
    templateId: await template({ creditsPerRun: 0 }),
    files: files('ok'),
  })
  const { now, unsettled } = createWorkflowQueries({ pool, domain: 'workflow', commandId: name => name })
  const at = await now()
  const before = (ms: number) => unsettled(new Date(at + ms).toISOString(), 10)
  expect(await before(1_000)).toEqual([id])
  expect(await before(-600_000)).toEqual([])
})
