import { expect, test } from 'vitest'
import { BusinessRuleError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('G1: `replies undelivered` lists what could not be delivered, and `replies deliver` delivers it', async () => {
  const { bus, pool, database, work, until, messages } = await createTestBus()
  const run = (...flags: string[]) => program.run(['replies', ...flags], { env: { DATABASE_URL: database.url } })
  const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'shop__replies' })
  await pool.query(`select pgmq.drop_queue('shop__replies')`)
  await pool.query('create view pgmq.q_shop__replies as select 1 as nothing')
  await work({ domain: 'payments', handlers: { Charge: () => {} } })
  await until(
    async () => (await bus.replies.undelivered()).items,
    items => items.length === 1,
  )

  const listed = await run('undelivered')
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(commandId) })
  const replyId = String((await run('undelivered', '--json')).json().items[0]?.replyId)
  expect(await run('deliver', '--operator', 'jane')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/Delivered 0 replies\.\nReply \d+ to shop__replies stays undelivered: ./),
  })
  expect(await run('deliver', '--to', 'payments__commands')).toMatchObject({ code: 1 })
  expect(await run('deliver', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('replyIds[0]') })
  expect(await run('deliver', replyId, '--to', 'rescued', '--operator', 'jane')).toMatchObject({
    code: 0,
    stdout: 'Delivered 1 reply.\n',
  })
  expect(await messages('rescued')).toMatchObject([{ message: { command_id: commandId } }])
  expect((await run('undelivered')).stdout).toBe('No such replies.\n')
  expect((await run('undelivered', '--delivered', '--json')).json().items).toMatchObject([
    { replyId, deliveredBy: 'jane', deliveredTo: 'rescued' },
  ])
})

test('F13: `replies read` shows errors as this bus writes them and as other libraries do', async () => {
  const { bus, pool, database, work, until, messages } = await createTestBus()
  await bus.send('payments', 'Charge', {}, { replyTo: 'shop__replies' })
  const refuse = () => {
    throw new BusinessRuleError('TOO_MUCH', 'more than there is')
  }
  await work({ domain: 'payments', handlers: { Charge: refuse } })
  const [reply] = await until(
    () => messages('shop__replies'),
    found => found.length === 1,
  )
  // what readers of other libraries look for
  expect(reply?.message).toMatchObject({
    outcome: 'FAILED',
    error: { code: 'TOO_MUCH', message: 'more than there is' },
    error_code: 'TOO_MUCH',
    error_message: 'more than there is',
    result: { error_code: 'TOO_MUCH' },
  })
  for (const message of [
    { outcome: 'FAILED', error_code: 'NO_CARD', error_message: 'no such card' },
    { outcome: 'FAILED', result: { error_code: 'LATE' } },
  ]) {
    await pool.query(`select pgmq.send('shop__replies', $1)`, [message])
  }
  const { stdout } = await program.run(['replies', 'read', 'shop__replies'], { env: { DATABASE_URL: database.url } })
  for (const said of ['TOO_MUCH: more than there is', 'NO_CARD: no such card', 'LATE']) expect(stdout).toContain(said)
})
