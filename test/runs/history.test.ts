import { expect, test } from 'vitest'
import { filesAfterEach } from '../../src/infrastructure/cli/investigation/runs-replay.ts'
import { createTestRuns, files, jane } from '../support/runs.ts'
import { useProgram } from '../support/servers/cli.ts'

const program = useProgram()

test('the history of a run shows it at any revision or instant, and the difference of two moments; only to its own tenant', async () => {
  const setup = await createTestRuns()
  const { bus } = setup
  await setup.grant(20)
  const templateId = await setup.template()
  const worker = await setup.atWork()
  const { id } = await bus.runs.initiate(jane, { templateId, files: files('ok', 'failed') })
  const first = await setup.ended(id)
  await bus.runs.retryFailed(jane, id)
  await setup.ended(id, 2)
  await worker.stop()

  const whole = await bus.runs.history(jane, id)
  expect(whole.items.map(({ revision }) => revision)).toEqual(whole.items.map((_, i) => i))
  expect(whole.items[0]).toMatchObject({ names: ['INITIATED'], actor: jane.subject, state: { status: 'QUEUED' } })
  const now = await bus.runs.get(jane, id)
  expect(whole.state).toMatchObject({
    status: now.status,
    round: 2,
    creditsFromMonthly: now.creditsFromMonthly,
    files: now.perFileResults.map(({ index, status, retryAttempt, errorMessage }) => ({
      index,
      status,
      retryAttempt,
      errorMessage,
    })),
  })
  const resumed = whole.items.findIndex(({ names }) => names[0] === 'RESUMED')
  expect((await bus.runs.history(jane, id, { at: 0 })).state).toMatchObject({
    status: 'QUEUED',
    round: 1,
    failedJobs: 0,
  })
  const then = await bus.runs.history(jane, id, { at: first.endedAt ?? '' })
  expect(then.items).toHaveLength(resumed)
  expect(then.state).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', round: 1, endedAt: first.endedAt, failedJobs: 1 })
  const { comparison, items } = await bus.runs.history(jane, id, { from: resumed - 1, to: resumed })
  expect(items).toHaveLength(1)
  expect(comparison?.diff).toEqual(
    expect.arrayContaining([
      { op: 'replace', path: '/round', from: 1, to: 2 },
      { op: 'replace', path: '/files/1/retryAttempt', from: 0, to: 1 },
    ]),
  )

  await expect(bus.runs.history({ ...jane, tenant: 't2' }, id)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(bus.runs.history(jane, templateId)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' })
  await expect(bus.runs.history(jane, id, { at: 99 })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })

  const env = { DATABASE_URL: setup.database.url }
  const printed = await program.run(['runs', 'replay', id, '--at', String(resumed)], { env })
  expect(printed).toMatchObject({ code: 0, stderr: '' })
  expect(printed.stdout).toMatch(
    /#0 .* INITIATED +by jane@example.com[\s\S]*RESUMED +by jane[\s\S]*files.1.status: failed -> pending[\s\S]*State\n +status +RUNNING[\s\S]*charges +round 1: 4 monthly, 0 purchased; round 2: 2 monthly[\s\S]*1 +1-failed.pdf +pending, open +1 /,
  )

  const stepped = await program.run(['runs', 'replay', id, '--step'], { env })
  expect(stepped).toMatchObject({ code: 0, stderr: '' })
  const count = whole.items.length
  expect(stepped.stdout.match(/^State after \d+ of \d+$/gm)).toEqual(
    whole.items.map((_, i) => `State after ${i + 1} of ${count}`),
  )
  expect(stepped.stdout).toMatch(
    /RESUMED +by jane[^#]*files.1.status: failed -> pending[^#]*State after [^#]*status +RUNNING[^#]*1-failed.pdf +pending, open +1 /,
  )
  // applying the changes gives the same state as the fold
  const rebuilt = filesAfterEach(whole.items)
  for (const i of whole.items.keys()) {
    expect(rebuilt[i]).toEqual((await bus.runs.history(jane, id, { at: i })).state?.files)
  }
  expect(filesAfterEach(items)).toEqual([null])
  const between = await program.run(['runs', 'replay', id, '--step', '--compare', `${resumed - 1}..${resumed}`], {
    env,
  })
  expect(between.stdout).toMatch(/^#\d+ .* RESUMED [\s\S]*State after 1 of 1\n +status +RUNNING/)
  const json = await program.run(['runs', 'replay', id, '--step', '--json'], { env })
  expect(json.json()).toMatchObject({ id, items: { length: count } })
})
