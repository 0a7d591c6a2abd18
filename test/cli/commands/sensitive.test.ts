import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const SECRET = 'planted-4111111111111111'
const payload = (size = 0) => ({ card: { number: SECRET, holder: 'Ann' }, pad: 'x'.repeat(size) })

test('O10: the command line hides what was declared, and --reveal shows it', async () => {
  const given = await createTestBus()
  const env = { DATABASE_URL: given.database.url, COMMANDBUS_HOME: join(program.directory, 'home') }
  const run = (...args: string[]) => program.run(args, { env })
  const [small, large] = [await parked(given, 'payments', payload()), await parked(given, 'payments', payload(9_000))]
  const edited = await parked(given, 'payments', payload())
  await given.bus.troubleshooting.retry('payments', edited, { operator: 'x', data: { card: { number: `${SECRET}2` } } })
  expect((await run('show', small)).stdout).toContain(SECRET)
  expect(await run('sensitive', 'add', 'payments', 'Charge', 'card.number')).toMatchObject({ code: 0, stderr: '' })
  for (const args of [
    ...[small, large, edited].flatMap(id => [
      ['show', id],
      ['replay', id],
    ]),
    ['audit', edited],
    ['replay', '--correlation', edited],
    ['tsq', 'list'],
    ['tsq', 'list', '--at', new Date().toISOString()],
    ['tsq', 'retry', small, '--dry-run'],
    ['tsq', 'retry', '--domain', 'payments', '--dry-run'],
  ]) {
    for (const form of [args, [...args, '--json']]) {
      const { stdout, stderr, code } = await run(...form)
      expect([form, code, `${stdout}${stderr}`.includes(SECRET)]).toEqual([form, 0, false])
    }
  }
  expect((await run('show', small)).stdout).toContain('Ann')
  expect((await run('show', small, '--reveal')).stdout).toContain(SECRET)
  const file = join(program.directory, 'case.jsonl.gz')
  expect(await run('export', '--id', small, '--id', edited, '-o', file)).toMatchObject({ code: 0 })
  const exported = gunzipSync(await readFile(file)).toString()
  expect(exported).toContain('Ann')
  expect(exported).not.toContain(SECRET)
  expect((await run('sensitive', 'list')).stdout).toMatch(/payments +Charge +card\.number/)
  expect(await run('sensitive', 'remove', 'payments', 'Charge', 'card.number')).toMatchObject({ code: 0 })
  expect(await run('sensitive', 'remove', 'payments', 'Charge', 'card.number')).toMatchObject({ code: 1 })
  expect((await run('show', small)).stdout).toContain(SECRET)
  expect(await run('sensitive', 'add', 'payments', 'Charge', '*')).toMatchObject({ code: 2, stdout: '' })
})

test('O9: a token for some actions and domains', async () => {
  const env = {
    COMMANDBUS_JWT_SECRET: 'a secret of this test only, long enough',
    DATABASE_URL: 'postgres://u@127.0.0.1:1/none',
  }
  const token = (list: string) =>
    program.run(['token', '--sub', 'olga', '--roles', 'OPERATOR', '--permissions', list], { env })
  const [, claims = ''] = (await token('retry@payments, read@*')).stdout.split('.')
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    roles: ['OPERATOR'],
    permissions: ['retry@payments', 'read@*'],
  })
  for (const list of ['retry', 'retries@payments', 'retry@Payments', 'retry@payments,,']) {
    const answer = await token(list)
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain('--permissions must be texts like retry@payments')
  }
})
