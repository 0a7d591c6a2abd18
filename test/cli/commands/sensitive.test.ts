import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { proofAnswer } from '../../../src/infrastructure/http/handlers/answers/proof-answer.ts'
import { createBackgroundCheck } from '../../../src/infrastructure/proof/background-check.ts'
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
  expect(await run('sensitive', 'remove', 'payments', 'Charge', 'card.number')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('card.number of Charge in payments is not declared'),
  })
  expect((await run('show', small)).stdout).toContain(SECRET)
  expect(await run('sensitive', 'add', 'payments', 'Charge', '*')).toMatchObject({ code: 2, stdout: '' })
})

test('O10: replies, searches and findings of the command line hide what was declared', async () => {
  const given = await createTestBus({ sensitive: { payments: { Charge: ['card.number'] } } })
  const { bus, pool } = given
  const env = { DATABASE_URL: given.database.url, COMMANDBUS_HOME: join(program.directory, 'home') }
  const run = (...args: string[]) => program.run(args, { env })
  const id = await parked(given, 'payments', payload(), { replyTo: 'answers' })
  await bus.troubleshooting.complete('payments', id, { operator: 'x', resultData: payload() })
  await pool.query('select pgmq.send($1, $2::jsonb)', [
    'answers',
    { command_id: id, outcome: 'SUCCESS', data: payload() },
  ])
  await bus.search.declare({ commandType: 'Charge', paths: ['card.number'] })
  await bus.schedules.set('hourly', { domain: 'payments', commandType: 'Charge', data: payload(), everySeconds: 3_600 })
  const where = ['list', '--data-where', `card.number=${SECRET}`]
  const refused = await run(...where)
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('card.number of Charge is sensitive: give --reveal')
  const read = await run('replies', 'read', 'answers', '--keep', '--json')
  expect([read.code, read.stdout.includes('•••'), read.stdout.includes(SECRET)]).toEqual([0, true, false])
  expect((await run('replies', 'read', 'answers', '--reveal')).stdout).toContain(SECRET)

  await pool.query(`update command_bus_search_value set value = value || 'x'`)
  await pool.query(`update command_bus_schedule set data = data || '{"more":1}'`)
  const verified = await run('verify', '--json')
  const { stdout } = verified
  expect([verified.code, stdout.includes('command_bus_search_value'), stdout.includes(SECRET)]).toEqual([
    1,
    true,
    false,
  ])
  expect(stdout).toContain('says something else in data')
  const logged: string[] = []
  const log = pino({ level: 'trace' }, { write: line => void logged.push(line) })
  const check = createBackgroundCheck({ pool, signer: null, log })
  await check.turn()
  expect(check.stats().findings).toBeGreaterThan(1)
  expect(logged.join('')).toContain('command_bus_search_value')
  expect(logged.join('')).not.toContain(SECRET)
  expect(JSON.stringify(proofAnswer(check.stats(), true))).not.toContain(SECRET)
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
