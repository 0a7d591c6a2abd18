import { expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('R5: `show`, `audit` and `replay` show where an error was thrown and what caused it', async () => {
  const { bus, database, work, until } = await createTestBus()
  const cause = Object.assign(new Error('connect refused\u001b[2J'), { code: 'ECONNREFUSED' })
  await work({ domain: 'payments', handlers: { Charge: () => Promise.reject(new Error('no answer', { cause })) } })
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 2, backoffSeconds: [0] })
  await until(() => bus.getCommand('payments', commandId), isParked)
  const run = async (...args: string[]) =>
    (await program.run([...args, commandId], { env: { DATABASE_URL: database.url } })).stdout

  const trace =
    /Error: no answer\n +at .*stacks\.test[\s\S]*\n +cause ECONNREFUSED: connect refused\\u001B\[2J\n +at .*stacks\.test/
  const shown = await run('show')
  expect(shown).toMatch(trace)
  expect(shown.match(/Error: no answer\n/g)).toHaveLength(1)
  const audit = await run('audit')
  expect(audit).toMatch(trace)
  expect(audit.match(/\n(FAILED|MOVED_TO_TROUBLESHOOTING_QUEUE) \S+ \S+\n {2}Error: no answer\n/g)).toHaveLength(2)
  expect(audit).not.toContain('error_stack')
  const replayed = await run('replay')
  expect(replayed).toMatch(trace)
  for (const text of [shown, audit, replayed]) expect(text).not.toContain('\u001b')
})

test('O4: `tsq groups`, `tsq list --frame`, `show --attempts` and `tsq explain` tell where and why', async () => {
  const { bus, database, work, until } = await createTestBus()
  const countries = ['NO', 'SE', 'IT']
  await bus.sendBatch(
    'payments',
    Array.from({ length: 90 }, (_, i) => ({
      commandType: 'Charge',
      data: { country: countries[i % 3] },
      maxAttempts: 1,
    })),
  )
  const handle = (data: unknown) => {
    if ((data as { country: string }).country === 'IT') throw new PermanentCommandError('DOWN', 'no answer')
  }
  await work({ domain: 'payments', concurrency: 30, handlers: { Charge: handle } })
  await until(
    async () => [
      (await bus.troubleshooting.list()).total,
      (await bus.queryCommands({ status: 'COMPLETED' })).items.length,
    ],
    ([failed, done]) => failed === 30 && done === 60,
  )
  const run = async (...args: string[]) => (await program.run(args, { env: { DATABASE_URL: database.url } })).stdout

  const groups = await run('tsq', 'groups')
  const [place = ''] = /test\/cli\/program\/stacks\.test\.ts:\d+ in handle/.exec(groups) ?? []
  expect(groups).toContain('THROWN AT')
  expect(await run('tsq', 'list', '--frame', place, '--limit', '1')).toContain('30 in all')
  expect(await run('tsq', 'retry', '--frame', place, '--dry-run', '--operator', 'jane')).toContain('30')
  const [one] = (await bus.troubleshooting.list()).items
  const shown = await run('show', one?.commandId ?? '', '--attempts')
  expect(shown).toMatch(/NO\. +DUE +STARTED +WAITED +RAN +OUTCOME[\s\S]*1 .* PARKED +DOWN: no answer/)
  expect(shown).toMatch(/Attempt 1\n {2}PermanentCommandError: no answer\n +at .*stacks\.test/)
  const cause = ['tsq', 'explain', '--domain', 'payments', '--type', 'Charge', '--error-code', 'DOWN']
  expect(await run(...cause)).toBe(
    '1. country is "IT" in all of the failed commands, and in none of the succeeded ones.\n\n' +
      'Compared: 30 failed commands and 60 succeeded ones of type Charge.\n',
  )
  expect(await run(...cause, '--frame', 'none')).toContain('Nothing stands out.')
})
