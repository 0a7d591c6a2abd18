import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('O6, O7: the command line lists owed replies, declares what is searched by, finds it, keeps views and prints CSV', async () => {
  const tested = await createTestBus()
  const { bus, database, pool } = tested
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: database.url } })
  expect((await run('replies', 'owed')).stdout).toBe('No sender waits for a reply.\n')
  const commandId = await parked(tested, 'payments', { orderId: 'ORD=1' }, { replyTo: 'shop_replies' })
  const verified = await run('verify', '--replies')
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 owed, 0 on queues or in archives, 0 duplicates'),
  })
  await pool.query(`update command_bus_command set created_at = now() - interval '90 s'`)

  const owed = await run('replies', 'owed')
  expect(owed).toMatchObject({ code: 0, stdout: expect.stringContaining(commandId) })
  expect(owed.stdout).toMatch(/1 reply owed, 0 of them late, oldest since 20/)
  expect((await run('replies', 'owed', '--late-after', '60', '--late', '--json')).json()).toMatchObject({
    items: [{ commandId, replyTo: 'shop_replies', late: true }],
    total: 1,
    lateAfterSeconds: 60,
  })
  expect(await run('replies', 'owed', '--late-after', '0')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('lateAfterSeconds'),
  })

  expect(await run('list', '--data-where', 'orderId=ORD=1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      "'orderId' is not declared for search (no path is): declare it with `commandbus search declare`",
    ),
  })
  expect((await run('search', 'list')).stdout).toBe('Nothing is declared.\n')
  const declared = await run('search', 'declare', 'Charge', 'orderId', 'customer.id', '--operator', 'jane')
  expect(declared).toMatchObject({ code: 0, stdout: expect.stringMatching(/Charge +orderId +all +20/) })
  expect((await run('list', '--data-where', 'orderId=ORD=1')).stdout).toContain(commandId)
  expect((await run('list', '--data-where', 'orderId=ORD-2')).stdout).toBe('No commands.\n')
  expect(await run('list', '--data-where', 'orderId')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('such as orderId=ORD-30021'),
  })
  expect((await run('list', '--id-prefix', commandId.slice(0, 13))).stdout).toContain(commandId)
  expect((await run('search', 'drop', 'Charge', 'customer.id')).stdout).toBe('Dropped.\n')
  expect((await run('search', 'drop', 'Charge', 'customer.id')).stdout).toBe('It was not declared.\n')

  expect(
    (await run('views', 'set', 'Late ones', 'status=PENDING', 'createdBefore=-1h', '--operator', 'jane')).stdout,
  ).toBe('Kept as Late ones.\n')
  expect((await run('views', 'list', '--operator', 'jane')).stdout).toMatch(
    /Late ones +commands +status=PENDING createdBefore=-1h/,
  )
  expect((await run('views', 'list', '--operator', 'tom')).stdout).toBe('No views.\n')
  expect(await run('views', 'set', 'x', 'colour=red')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'colour' is not a filter"),
  })
  expect((await run('views', 'delete', 'Late ones', '--operator', 'jane')).stdout).toBe('Deleted.\n')

  await bus.send('payments', 'Charge', {}, { correlationId: '=1+1' })
  const csv = await run('list', '--csv', '--limit', '1')
  const [header = '', row = '', end] = csv.stdout.split('\r\n')
  expect(header).toMatch(/^domain,commandId,commandType,status,/)
  expect([row.includes("'=1+1"), end]).toEqual([true, ''])
  expect(csv.stderr).toMatch(/^Next page: repeat with --cursor \S+\n$/)
  expect((await run('replies', 'owed', '--csv')).stdout).toMatch(/^domain,commandId,.*\r\npayments,/)
  // the next command of this process prints as usual
  expect((await run('list', '--json')).json().items).toHaveLength(2)
})

test('A30: a command is shown by the beginning of its id; several with it are named, and what is none is refused', async () => {
  const { bus, database } = await createTestBus()
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: database.url } })
  const ids = [1, 2].map(n => `aaaaaaaa-0000-4000-8000-00000000000${n}`)
  for (const commandId of ids) await bus.send('payments', 'Charge', {}, { commandId })
  const { commandId } = await bus.send('payments', 'Refund', {})
  expect((await run('show', commandId.slice(0, 13), '--json')).json()).toMatchObject({ commandId })
  expect((await run('audit', commandId.slice(0, 8).toUpperCase())).stdout).toContain('SENT')
  expect(await run('show', 'aaaaaaaa')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/several ids begin with aaaaaaaa: aaaaaaaa\S+, aaaaaaaa/),
  })
  expect(await run('show', 'bbbbbbbb', '--domain', 'payments')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no command of payments has an id that begins with bbbbbbbb'),
  })
  expect(await run('show', 'nope')).toMatchObject({
    code: 2,
    stderr: "commandbus: id: 'nope' is not a command id: use a UUID, or its first 8 characters or more\n",
  })
  expect((await run('list', '--sort', 'oldest', '--json')).json().items.at(-1)).toMatchObject({ commandId })
  expect(await run('list', '--sort', 'attempts')).toMatchObject({ code: 2, stderr: expect.stringContaining('--sort') })
  expect((await run('tsq', 'list', '--sort', 'attempts')).stdout).toContain('Nothing is parked.')
})
