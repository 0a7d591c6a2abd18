import { expect, test } from 'vitest'
import type { CausalNode } from '../../src/index.ts'
import { createTestRuns, files, jane } from '../support/runs.ts'
import { useProgram } from '../support/servers/cli.ts'

const program = useProgram()

const told = (node: CausalNode): readonly unknown[] => [
  '  '.repeat(node.depth) + node.kind,
  node.via,
  'commandId' in node ? node.causationId : node.kind === 'run' ? node.status : node.monthly,
]

test('the id of a run gives the run, its charges and refunds, and its jobs of every round', async () => {
  const setup = await createTestRuns()
  const { bus } = setup
  await setup.grant(20)
  const templateId = await setup.template()
  const worker = await setup.atWork()
  const { id } = await bus.runs.initiate(jane, { templateId, files: files('failed', 'error') })
  await setup.ended(id)
  await bus.runs.retryFailed(jane, id)
  await setup.ended(id, 2)
  await worker.stop()
  const other = await bus.runs.initiate(jane, { templateId, files: files('ok') })
  const [job] = (await bus.queryCommands({ domain: 'workflow', correlationId: id, status: 'FAILED' })).items
  const mail = await bus.send('mail', 'Tell', {}, { causationId: job?.commandId ?? '', tenantId: 't1' })

  const { items, truncated } = await bus.getCorrelation(id)
  expect(truncated).toBe(false)
  const [root] = items
  expect(root).toMatchObject({ id, totalJobs: 2, round: 2, creditsConsumed: 0, depth: 0, cause: null })
  // no file was completed in either round: everything is refunded
  const shown = items.map(told)
  expect(shown[0]).toEqual(['run', null, 'FAILED'])
  expect(shown.filter(([kind]) => /charge|refund/.test(String(kind)))).toEqual([
    ['  charge', 'run', -4],
    ['    refund', 'charge', 4],
    ['  charge', 'run', -2],
    ['    refund', 'charge', 2],
  ])
  expect(shown.filter(([, via]) => via === 'run').map(([, , what]) => what)).toEqual([
    -4,
    `${id}:file:0#1`,
    `${id}:file:1#1`,
    -2,
    `${id}:file:0#2`,
  ])
  const below = items.find(node => 'commandId' in node && node.commandId === mail.commandId)
  expect(below).toMatchObject({ via: 'causation', depth: 2 })

  // of the tenant only, and of no other run
  expect((await bus.getCorrelation(id, { tenantId: 't1' })).items).toEqual(items)
  expect((await bus.getCorrelation(id, { tenantId: 't2' })).items).toEqual([])
  expect(JSON.stringify(items)).not.toContain(other.id)

  const printed = await program.run(['replay', '--correlation', id], { env: { DATABASE_URL: setup.database.url } })
  expect(printed).toMatchObject({ code: 0, stderr: '' })
  expect(printed.stdout).toMatch(
    new RegExp(
      `\\n${id} +run +Summaries +FAILED +1/1 files, round 2 .*1 of 2 files failed\\n  └ \\S+ +credits +-4 monthly, 0 purchased, by ${jane.subject} +CHARGE .* for the run`,
    ),
  )
})

test('the tree of a run of 1,000 files has the same limit as any other: the run, its charge, and as many jobs as fit', async () => {
  const setup = await createTestRuns()
  await setup.grant(5_000)
  const { id } = await setup.bus.runs.initiate(jane, {
    templateId: await setup.template(),
    files: files(...Array.from({ length: 1_000 }, () => 'ok' as const)),
  })
  const { items, truncated, notShown } = await setup.bus.getCorrelation(id)
  expect(items).toHaveLength(1_000)
  expect([truncated, notShown]).toEqual([true, [{ status: 'PENDING', count: 2 }]])
  const printed = await program.run(['replay', '--correlation', id], { env: { DATABASE_URL: setup.database.url } })
  expect(printed.stdout).toContain('Only 1000 are shown, failed and parked ones first; not shown: 2 PENDING.')
  expect(items.slice(0, 2).map(told)).toEqual([
    ['run', null, 'QUEUED'],
    ['  charge', 'run', -2_000],
  ])
  expect(items.slice(2).every(({ via, cause }) => via === 'run' && cause === 0)).toBe(true)
})
