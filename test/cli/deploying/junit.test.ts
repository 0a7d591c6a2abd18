import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compareAttempts } from '../../../src/application/deploying/compare-attempts.ts'
import { createReport } from '../../../src/application/deploying/rehearsal-report.ts'
import { openFile, writeJUnit } from '../../../src/infrastructure/cli/deploying/junit.ts'

// it has no types
const { JSDOM } = await import('jsdom' as string)

test('K5: a JUnit file is well-formed, whatever the texts of results and errors are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'junit-'))
  const path = join(folder, 'report.xml')
  const report = createReport(value => value)
  const hostile = `\u0000\u0007\u001b[31m ]]> <&"'> \ud83d \ufffe\u2028\u202e\n${'😀'.repeat(10_000)}`
  const ends = [
    [
      { kind: 'succeeded', result: hostile },
      { kind: 'succeeded', result: `${hostile}!` },
    ],
    [
      { kind: 'succeeded', result: 1 },
      { kind: 'failed', type: 'PERMANENT', code: hostile, message: hostile, frame: hostile },
    ],
    [
      { kind: 'failed', type: 'PERMANENT', code: 'A', message: hostile },
      { kind: 'succeeded', result: 1 },
    ],
    [
      { kind: 'succeeded', result: 1 },
      { kind: 'succeeded', result: 1 },
    ],
  ] as const
  ends.forEach(([before, now], i) => {
    const command = { domain: 'payments', commandType: 'Charge', commandId: String(i) }
    report.add(command, compareAttempts(before, now), before, now, 12)
  })
  report.skip({ domain: 'payments', commandType: 'Charge', commandId: '4' }, hostile)
  await writeJUnit(await openFile('--junit', path), report.commands(), report.result())
  const text = await readFile(path, 'utf8')
  const { document } = new JSDOM(text, { contentType: 'text/xml' }).window
  const suite = document.querySelector('testsuite')
  expect(['name', 'tests', 'failures', 'skipped', 'time'].map(name => suite.getAttribute(name))).toEqual([
    'payments.Charge',
    '5',
    '2',
    '1',
    '0.048',
  ])
  expect([...document.querySelectorAll('failure')].map(one => one.getAttribute('type'))).toEqual([
    'other-result',
    'newly-failing',
  ])
  expect(document.querySelectorAll('failure')[1].textContent).toContain('\\u0007')
  expect(text.length).toBeLessThan(100_000)
  await expect(openFile('--junit', join(folder, 'none', 'x.xml'))).rejects.toThrow(
    /--junit names the file .* \(ENOENT\)/,
  )
  await rm(folder, { recursive: true })
})
