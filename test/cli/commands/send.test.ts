import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BusinessRuleError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const id = '7e0b7c1e-59f4-4bd0-9f3c-000000000001'

describe('send', () => {
  test('A13: sends a command with every option', async () => {
    const { bus, database, messages } = await createTestBus()
    const env = { DATABASE_URL: database.url }
    const args = ['--id', id.toUpperCase(), '--reply-to', 'shop__replies', '--correlation-id', 'order 7']
    const policy = ['--max-attempts', '5', '--backoff', '0.1,0.2']
    const answer = await program.run(
      ['send', 'payments', 'Charge', '--data', '{"amount": 5}', ...args, ...policy, '--json'],
      { env },
    )
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect(answer.json()).toEqual({
      domain: 'payments',
      commandId: id,
      commandType: 'Charge',
      status: 'PENDING',
      msgId: '1',
      correlationId: 'order 7',
    })
    expect(await bus.getCommand('payments', id)).toMatchObject({ replyTo: 'shop__replies', maxAttempts: 5 })
    const [sent] = await bus.getAuditTrail('payments', id)
    expect(sent).toMatchObject({ eventType: 'SENT', details: { backoff_seconds: [0.1, 0.2] } })
    expect(await messages('payments__commands')).toMatchObject([{ message: { data: { amount: 5 } } }])
  })

  test('F12: waits for the reply and prints it, or says what became of the command', async () => {
    const { bus, database, work, until } = await createTestBus()
    const Refuse = () => {
      throw new BusinessRuleError('LIMIT_EXCEEDED', 'too much')
    }
    await work({ domain: 'payments', handlers: { Charge: data => data, Refuse } })
    // it announces itself a moment after it has started
    await until(
      () => bus.workers.handles('payments', 'Charge'),
      handles => handles,
    )
    const send = (type: string, ...more: readonly string[]) =>
      program.run(['send', 'payments', type, '--data', '{"amount": 5}', '--wait', ...more], {
        env: { DATABASE_URL: database.url },
      })
    const [done, refused, late] = await Promise.all([
      send('Charge', '60', '--id', id),
      send('Refuse', '60'),
      program.run(['send', 'nobody', 'Charge', '--data', '1', '--wait', '1'], { env: { DATABASE_URL: database.url } }),
    ])
    expect(done).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `Command ${id} is COMPLETED, with the result {"amount":5}\n`,
    })
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/ failed: LIMIT_EXCEEDED: too much/),
    })
    expect(late).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/within 1000 ms: the command goes on/),
    })
    expect(await send('Charge', '0')).toMatchObject({
      code: 2,
      stderr: 'commandbus: --wait: must be from 1 to 86400\n',
    })
  })

  test('A14: refuses an id that was sent before, and sends nothing', async () => {
    const { bus, database, messages } = await createTestBus()
    const env = { DATABASE_URL: database.url }
    await bus.send('payments', 'Charge', 1, { commandId: id })
    const again = await program.run(['send', 'payments', 'Charge', '--data', '2', '--id', id], { env })
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toBe(`commandbus: command ${id} was already sent to domain 'payments'; nothing was sent\n`)
    expect(await messages('payments__commands')).toHaveLength(1)
    expect(await program.run(['send', 'orders', 'Charge', '--data', '2', '--id', id], { env })).toMatchObject({
      code: 0,
    })
  })

  test('takes data from a file and from standard input, up to 1 MiB', async () => {
    const { bus, database } = await createTestBus()
    const env = { DATABASE_URL: database.url }
    const largest = JSON.stringify('x'.repeat(1_048_574))
    const file = join(program.directory, 'data.json')
    await writeFile(file, largest)
    const sent = await program.run(['send', 'payments', 'Charge', '--data', `@${file}`, '--id', id], { env })
    expect(sent).toMatchObject({ code: 0, stderr: 'No worker for Charge in payments: it waits until one starts.\n' })
    expect((await bus.getCommand('payments', id))?.data).toBe('x'.repeat(1_048_574))
    // more than a pipe holds at once comes out whole
    expect((await program.run(['show', id, '--json'], { env })).json()).toMatchObject({ data: 'x'.repeat(1_048_574) })
    const tooLarge = await program.run(['send', 'payments', 'Charge', '--data', '-', '--json'], {
      env,
      input: ` ${largest}`,
    })
    expect(tooLarge.code).toBe(2)
    expect(tooLarge.json().error).toEqual({
      code: 'INVALID_REQUEST',
      message: '--data: has more than the 1048576 bytes (1 MiB) that are allowed',
    })
    expect((await bus.queryCommands()).items).toHaveLength(1)
  })
})

describe('send refuses bad input in one sentence, before it connects', () => {
  const good = { domain: 'payments', type: 'Charge', data: '{}' }
  const cases: readonly (readonly [what: string, args: readonly string[], sentence: string])[] = [
    [
      'domain characters',
      ['send', 'Pay Ments', 'Charge', '--data', '{}'],
      "domain: 'Pay Ments' is not a valid domain name",
    ],
    ['a domain too long', ['send', 'p'.repeat(40), 'Charge', '--data', '{}'], 'pgmq allows 47'],
    ['an empty domain', ['send', '', 'Charge', '--data', '{}'], "domain: '' is not a valid domain name"],
    [
      'a bad type',
      ['send', 'payments', 'drop table', '--data', '{}'],
      "commandType: 'drop table' is not a valid command type",
    ],
    ['a bad UUID', ['--id', '12345'], "commandId: '12345' is not a valid id: use a UUID"],
    ['a bad reply queue', ['--reply-to', 'Shop;--'], "replyTo: 'Shop;--' is not a valid queue name"],
    ['a long correlation id', ['--correlation-id', 'x'.repeat(129)], 'at most 128 characters'],
    ['a negative wait', ['--backoff', '-1'], 'backoffSeconds must be waits from 0'],
    ['a wait that is not a number', ['--backoff', '1,soon'], '--backoff must be waits in seconds'],
    ['no attempts', ['--max-attempts', '0'], 'maxAttempts must be a whole number from 1 to 100, not 0'],
    ['101 attempts', ['--max-attempts', '101'], 'maxAttempts must be a whole number from 1 to 100, not 101'],
    ['half an attempt', ['--max-attempts', '1.5'], '--max-attempts must be a whole number'],
    ['no JSON', ['send', 'payments', 'Charge', '--data', '{amount: 5}'], '--data is not JSON'],
    [
      'R8: a whole number that would be rounded',
      ['send', 'payments', 'Charge', '--data', '{"lines":[{"id":9007199254740993}]}'],
      'lines[0].id is past 9007199254740991 (2^53 - 1), where numbers are rounded: send it as a text',
    ],
    ['JSON with a NUL', ['send', 'payments', 'Charge', '--data', '{"a": "\\u0000"}'], 'NUL character'],
    [
      'deep JSON',
      ['send', 'payments', 'Charge', '--data', '['.repeat(200) + ']'.repeat(200)],
      'nested deeper than 100',
    ],
    ['a missing file', ['send', 'payments', 'Charge', '--data', '@/no/such/file'], 'cannot be read (ENOENT)'],
    ['an unknown flag', ['send', 'payments', 'Charge', '--data', '1', '--colour'], "unknown option '--colour'"],
  ]

  test.each(cases)('%s', async (_, args, sentence) => {
    const all = args[0] === 'send' ? args : ['send', good.domain, good.type, '--data', good.data, ...args]
    // nothing listens there: a connection would fail
    const answer = await program.run(all, { env: { DATABASE_URL: 'postgres://u:topsecret@127.0.0.1:1/none' } })
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
    expect(answer.stderr.trim().split('\n')).toHaveLength(1)
  })
})
