import { expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
/** Clears the screen in two ways, reverses the text, hides text. */
const nasty = 'a\u001b[2Jb\u009b2Jc\u202ed\u200be\u2066f\u007f'
const written = 'a\\u001B[2Jb\\u009B2Jc\\u202Ed\\u200Be\\u2066f\\u007F'
/** What no terminal should get: every control character but the end of a line. */
const OBEYED = /(?!\n)\p{Cc}/u
const HIDDEN = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

test('control characters in data are escaped for the terminal; JSON has the exact data', async () => {
  const { bus, database, until } = await createTestBus()
  const env = { DATABASE_URL: database.url }
  const data = { [`n${nasty}`]: nasty }
  const { commandId } = await bus.send('payments', 'Charge', data, { correlationId: nasty, actor: `by ${nasty}` })
  const refuse = () => {
    throw new PermanentCommandError(`CODE${nasty}`, `it ${nasty} fails`, data)
  }
  const worker = bus.worker({ domain: 'payments', handlers: { '*': refuse } })
  await worker.start()
  await until(() => bus.getCommand('payments', commandId), isParked)
  await worker.stop()

  for (const args of [
    ['show', commandId],
    ['list'],
    ['audit', commandId],
    ['tsq', 'list'],
    ['tsq', 'groups'],
    ['replay', commandId],
    ['tsq', 'retry', commandId, '--operator', nasty, '--dry-run'],
  ]) {
    const { stdout, stderr } = await program.run(args, { env })
    const mayNameIt = args[0] !== 'list' && !args.includes('--dry-run')
    expect(stdout, args.join(' ')).toContain(mayNameIt ? written : commandId)
    for (const text of [stdout, stderr]) {
      expect(text, args.join(' ')).not.toMatch(OBEYED)
      expect(text, args.join(' ')).not.toMatch(HIDDEN)
    }
  }
  const shown = await program.run(['show', commandId, '--json'], { env })
  expect(shown.json()).toMatchObject({ data, correlationId: nasty })
  expect(shown.stdout).not.toMatch(OBEYED)
}, 240_000)

test('control characters in an error are escaped for the terminal', async () => {
  const env = { DATABASE_URL: 'postgres://u@127.0.0.1:1/none' }
  const answer = await program.run(['show', nasty], { env })
  expect(answer).toMatchObject({ code: 2, stdout: '' })
  expect(answer.stderr).not.toMatch(OBEYED)
  expect(answer.stderr).not.toMatch(HIDDEN)
  const unknown = await program.run([nasty], { env })
  expect(unknown.stderr).toContain(written)
  expect((await program.run([nasty, '--json'], { env })).stderr).not.toMatch(OBEYED)
})
