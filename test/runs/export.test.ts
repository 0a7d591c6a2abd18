import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createTestRuns, files, jane } from '../support/runs.ts'
import { useProgram } from '../support/servers/cli.ts'

const program = useProgram()

test('a case file of a run has its jobs and its entries of the ledger, and opens offline', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-case-'))
  try {
    const setup = await createTestRuns()
    const { bus } = setup
    await setup.grant(20)
    const templateId = await setup.template()
    const worker = await setup.atWork()
    const [ok] = files('ok')
    const { id } = await bus.runs.initiate(jane, {
      templateId,
      files: [{ fileName: 'secret.pdf', input: { apiKey: 'abc-123' } }, ...files('error')],
    })
    await setup.ended(id)
    const other = await bus.runs.initiate(jane, { templateId, files: ok === undefined ? [] : [ok] })
    await setup.ended(other.id)
    const third = await bus.runs.initiate(jane, { templateId, files: files('error') })
    await setup.ended(third.id)
    await worker.stop()

    const file = join(directory, 'case.jsonl.gz')
    const env = { DATABASE_URL: setup.database.url, COMMANDBUS_HOME: await program.newHome() }
    const exported = async (run: string) => {
      const written = await program.run(['export', '--correlation', run, '-o', file, '--operator', 'jane'], { env })
      const text = gunzipSync(await readFile(file)).toString()
      return { written, text, opened: await program.run(['replay', '--from', file]) }
    }
    const first = await exported(id)
    expect(first.written).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/a run with 1 entry of credits, and 2 commands/),
    })
    expect(first.text).not.toContain('abc-123')
    expect(first.text).not.toContain(other.id)
    expect(first.opened).toMatchObject({ code: 0, stderr: '' })
    expect(first.opened.stdout).toMatch(
      new RegExp(
        `Run ${id}[\\s\\S]*COMPLETED_WITH_ERRORS[\\s\\S]*credits-t1\\n[\\s\\S]*1 .*CreditsCharged +4 monthly, 0 purchased +jane@example.com +16 monthly[\\s\\S]*Command [\\s\\S]*The file is as it was signed`,
      ),
    )

    // of the last run the ledger has a charge and a refund, far from its beginning
    const last = await exported(third.id)
    const json = (await program.run(['replay', '--from', file, '--json'])).json()
    expect(json).toMatchObject({
      altered: false,
      runs: [{ history: { id: third.id, state: { status: 'FAILED' } }, fault: null }],
      credits: [
        {
          stream: 'credits-t1',
          entries: [
            { type: 'CreditsCharged', revision: 3, runId: third.id },
            { type: 'CreditsRefunded', revision: 4 },
          ],
        },
      ],
      commands: [{ history: { domain: 'workflow', state: { correlationId: third.id } } }],
    })
    const forged = last.text
      .split('\n')
      .map(line => (line.includes('CreditsCharged') ? line.replace('\\"monthly\\": 2', '\\"monthly\\": 1') : line))
      .join('\n')
    expect(forged).not.toBe(last.text)
    await writeFile(file, gzipSync(forged))
    expect(await program.run(['replay', '--from', file])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /ALTERED:[\s\S]*credits-t1, event 3 \(CreditsCharged\)[\s\S]*its hash does not fit/,
      ),
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
