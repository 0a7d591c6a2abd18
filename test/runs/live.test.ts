import { expect, test } from 'vitest'
import { createTestRuns, files, jane } from '../support/runs.ts'

test('the live events of a run are its own and those of its jobs, and only its tenant gets them', async () => {
  const setup = await createTestRuns()
  const { bus } = setup
  const templateId = await setup.template({ creditsPerRun: 0 })
  const start = () => bus.runs.initiate(jane, { templateId, files: files('ok') })
  const other = await start()
  const { id } = await start()
  await setup.atWork()
  await setup.ended(id)
  await setup.ended(other.id)
  const seen = async (tenant: string | null): Promise<readonly string[]> => {
    const reader = bus.as({ subject: 'x', tenant, roles: ['CUSTOMER_ADMIN'] })
    const subscription = await reader.live({ after: null, filter: { run: id } })
    const types: string[] = []
    for await (const event of subscription) {
      expect(event.run).toBe(id)
      types.push(event.type)
      if (event.type === 'RunEnded') break
    }
    return types
  }
  expect([...new Set(await seen('t1'))].sort()).toEqual(
    expect.arrayContaining(['CommandCompleted', 'CommandSent', 'RunEnded', 'RunFilesNoted', 'RunInitiated']),
  )
  const foreign = await bus
    .as({ subject: 'eve', tenant: 't2', roles: ['CUSTOMER_ADMIN'] })
    .live({ after: null, filter: { run: id } })
  const first = foreign[Symbol.asyncIterator]().next()
  await setup.until(
    async () => foreign.reached(),
    position => position !== '0/0',
  )
  foreign.close()
  expect((await first).done).toBe(true)
})
