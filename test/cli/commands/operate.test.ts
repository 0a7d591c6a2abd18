import { describe, expect, test } from 'vitest'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { auditNames, parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const unknown = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })

describe('a parked command', () => {
  test('A10: is in the list with its payload, in the counts by group, and shown by its id', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', { amount: 77 })
    const list = await program.run(['tsq', 'list'], on(setup))
    expect(list).toMatchObject({ code: 0, stderr: '' })
    expect(list.stdout).toMatch(
      new RegExp(
        `${id} +payments +Charge +PERMANENT +[-0-9]+ [:0-9]+Z +CARD_DECLINED: the card was declined .*{"amount":77}`,
      ),
    )
    const json = (
      await program.run(['tsq', 'list', '--domain', 'payments', '--error-code', 'CARD_DECLINED', '--json'], on(setup))
    ).json()
    expect(json).toMatchObject({ total: 1, nextCursor: null, items: [{ commandId: id, payload: { amount: 77 } }] })
    expect((await program.run(['tsq', 'list', '--error-code', 'OTHER'], on(setup))).stdout).toBe('Nothing is parked.\n')
    const groups = (await program.run(['tsq', 'groups', '--json'], on(setup))).json()
    expect(groups.items).toMatchObject([
      { domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED', count: 1 },
    ])
    expect((await program.run(['show', id], on(setup))).stdout).toMatch(
      /Status +IN_TROUBLESHOOTING_QUEUE[\s\S]*"amount": 77/,
    )
  })

  test('A1, A3: is retried by a named operator', async () => {
    const setup = await createTestBus()
    const id = await parked(setup)
    const answer = await program.run(['tsq', 'retry', id, '--operator', 'jane@example.com', '--json'], on(setup))
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect(answer.json()).toEqual({ domain: 'payments', commandId: id, status: 'PENDING', msgId: '2' })
    const audit = (await program.run(['audit', id, '--json'], on(setup))).json()
    expect(audit.items.at(-1)).toMatchObject({ eventType: 'OPERATOR_RETRY', actor: 'jane@example.com' })
    expect((await program.run(['audit', id], on(setup))).stdout).toMatch(
      /OPERATOR_RETRY +jane@example.com +.*new_msg_id=2/,
    )
    expect((await program.run(['tsq', 'list'], on(setup))).stdout).toBe('Nothing is parked.\n')
  })

  test('A2: keeps its attempts and takes an edited payload when the operator says so', async () => {
    const setup = await createTestBus()
    const id = await parked(setup)
    const flags = ['--keep-attempts', '--data', '{"amount": 6}', '--operator', 'jane']
    expect(await program.run(['tsq', 'retry', id, ...flags], on(setup))).toMatchObject({ code: 0 })
    expect(await setup.bus.getCommand('payments', id)).toMatchObject({ attempts: 1, data: { amount: 6 } })
  })

  test('A6: is canceled with a reason that the sender reads', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', {}, { replyTo: 'shop__replies' })
    const flags = ['--reason', 'card expired', '--operator', 'jane']
    expect((await program.run(['tsq', 'cancel', id, ...flags], on(setup))).stdout).toBe(`Command ${id} is CANCELED.\n`)
    const read = (await program.run(['replies', 'read', 'shop__replies', '--json'], on(setup))).json()
    expect(read.items).toMatchObject([{ message: { command_id: id, outcome: 'CANCELED', reason: 'card expired' } }])
  })

  test('A9: is completed with a result that the sender reads; the operator is the user of the system by default', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', {}, { replyTo: 'shop__replies' })
    expect(
      await program.run(['tsq', 'complete', id, '--result', '{"by": "hand"}', '--reason', 'by hand'], on(setup)),
    ).toMatchObject({
      code: 0,
    })
    const [last] = (await setup.bus.getAuditTrail('payments', id)).slice(-1)
    expect(last).toMatchObject({ eventType: 'OPERATOR_COMPLETE', actor: (await import('node:os')).userInfo().username })
    const keep = (
      await program.run(['replies', 'read', 'shop__replies', '--keep', '--count', '1', '--json'], on(setup))
    ).json()
    expect(keep.items).toMatchObject([{ message: { outcome: 'SUCCESS', result: { by: 'hand' } } }])
    expect((await program.run(['replies', 'read', 'shop__replies'], on(setup))).stdout).toMatch(
      /SUCCESS +{"by":"hand"}/,
    )
    expect((await program.run(['replies', 'read', 'shop__replies'], on(setup))).stdout).toBe(
      'No replies on shop__replies.\n',
    )
  })

  test('R1: replies can be read also when the role has standard_conforming_strings off', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', {}, { replyTo: 'shop__replies' })
    const name = new URL(setup.database.url).pathname.slice(1)
    await setup.pool.query(`alter database ${name} set standard_conforming_strings = off`)
    expect(await program.run(['tsq', 'cancel', id, '--reason', 'x', '--operator', 'jane'], on(setup))).toMatchObject({
      code: 0,
    })
    const read = await program.run(['replies', 'read', 'shop__replies'], on(setup))
    expect(read).toMatchObject({ code: 0, stdout: expect.stringContaining('CANCELED') })
    expect((await setup.pool.query('select from pgmq.q_shop__replies')).rowCount).toBe(0)
  })

  test('may be one of several; one that is refused does not stop the others', async () => {
    const setup = await createTestBus()
    const [a, b] = [await parked(setup), await parked(setup)]
    const answer = await program.run(['tsq', 'retry', a, unknown, b, '--operator', 'jane', '--json'], on(setup))
    expect(answer.code).toBe(1)
    expect(answer.json().results).toMatchObject([
      { commandId: a, status: 'PENDING' },
      { commandId: unknown, error: { code: 'COMMAND_NOT_FOUND' } },
      { commandId: b, status: 'PENDING' },
    ])
    const again = await program.run(['tsq', 'retry', a, b, '--operator', 'jane'], on(setup))
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr.trim().split('\n')).toEqual([expect.stringContaining(a), expect.stringContaining(b)])
  })
})

describe('a pending command', () => {
  test('is canceled by its sender, once', async () => {
    const setup = await createTestBus()
    const { commandId } = await setup.bus.send('payments', 'Charge', 1)
    const answer = await program.run(['cancel', commandId, '--reason', 'not needed', '--json'], on(setup))
    expect(answer.json()).toEqual({ domain: 'payments', commandId, status: 'CANCELED' })
    const again = await program.run(['cancel', commandId, '--json'], on(setup))
    expect(again.code).toBe(1)
    expect(again.json().error).toMatchObject({
      code: 'INVALID_OPERATION',
      message: expect.stringContaining('CANCELED'),
    })
  })

  test('A4, A7: is refused to the operator; the message names the status', async () => {
    const setup = await createTestBus()
    const { commandId } = await setup.bus.send('payments', 'Charge', 1)
    for (const args of [['retry'], ['cancel', '--reason', 'x'], ['complete', '--reason', 'x']]) {
      const [name = '', ...flags] = args
      const answer = await program.run(['tsq', name, commandId, ...flags], on(setup))
      expect(answer).toMatchObject({ code: 1, stdout: '' })
      expect(answer.stderr).toContain(`command ${commandId} is PENDING, not in troubleshooting`)
    }
    expect(await auditNames(setup.bus, 'payments', commandId)).toEqual(['SENT'])
  })

  test('is listed by any filter, page by page', async () => {
    const setup = await createTestBus()
    for (const domain of ['payments', 'orders', 'orders']) await setup.bus.send(domain, 'Do', 1, { correlationId: 'c' })
    const list = async (...flags: string[]) => (await program.run(['list', ...flags, '--json'], on(setup))).json()
    expect((await list('--domain', 'orders', '--status', 'pending', '--correlation-id', 'c')).items).toHaveLength(2)
    expect((await list('--created-before', '2020-01-01')).items).toEqual([])
    const first = await list('--limit', '2')
    const second = await list('--limit', '2', '--cursor', first.nextCursor)
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null])
    expect((await program.run(['list', '--limit', '2'], on(setup))).stdout).toContain(`--cursor ${first.nextCursor}`)
  })

  test('A14: must be named with its domain if its id is in several domains', async () => {
    const setup = await createTestBus()
    const { commandId } = await setup.bus.send('payments', 'Charge', 1)
    await setup.bus.send('orders', 'Ship', 2, { commandId })
    const answer = await program.run(['show', commandId, '--json'], on(setup))
    expect(answer.code).toBe(1)
    expect(answer.json().error).toEqual({
      code: 'AMBIGUOUS_COMMAND',
      message: `command ${commandId} is in several domains (orders, payments): name one with --domain`,
    })
    expect((await program.run(['show', commandId, '--domain', 'orders', '--json'], on(setup))).json()).toMatchObject({
      data: 2,
    })
  })
})

describe('an unknown command', () => {
  test('is not found, in the domain named or in any', async () => {
    const setup = await createTestBus()
    for (const args of [
      ['show', unknown],
      ['cancel', unknown],
      ['tsq', 'retry', unknown],
      ['tsq', 'complete', unknown, '--reason', 'x'],
    ]) {
      expect(await program.run(args, on(setup))).toMatchObject({
        code: 1,
        stderr: `commandbus: no command ${unknown} in any domain; if it was archived, \`commandbus archive --find ${unknown}\` says where\n`,
      })
    }
    const named = await program.run(['show', unknown, '--domain', 'payments'], on(setup))
    expect(named).toMatchObject({ code: 1, stderr: `commandbus: no command ${unknown} in domain 'payments'\n` })
  })

  test('A30: has an empty audit', async () => {
    const setup = await createTestBus()
    const answer = await program.run(['audit', unknown, '--json'], on(setup))
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect(answer.json()).toEqual({ items: [] })
  })

  test('has no replies on a queue that does not exist', async () => {
    const answer = await program.run(['replies', 'read', 'nobody__replies', '--json'], on(await createTestBus()))
    expect(answer.code).toBe(1)
    expect(answer.json().error.code).toBe('QUEUE_NOT_FOUND')
  })
})

describe('a snooze', () => {
  test('applies to one command or many, until a time or for a duration, and the list shows it', async () => {
    const setup = await createTestBus()
    const [one, other] = [await parked(setup), await parked(setup)]
    const until = new Date(Date.now() + 86_400_000).toISOString()
    const snoozed = await program.run(['tsq', 'snooze', one, '--until', until, '--reason', 'closed'], on(setup))
    expect(snoozed).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `Command ${one} is snoozed; it stays parked.\n`,
    })
    const list = async (...flags: readonly string[]) =>
      (await program.run(['tsq', 'list', '--json', ...flags], on(setup))).json()
    const shown = await program.run(['show', one], on(setup))
    expect(shown.stdout).toMatch(/^Snoozed until +20/m)
    expect(await list('--snoozed', 'true')).toMatchObject({ items: [{ commandId: one, snoozedUntil: until }] })
    expect(await list('--snoozed', 'false')).toMatchObject({ items: [{ commandId: other, snoozedUntil: null }] })
    expect((await program.run(['tsq', 'list'], on(setup))).stdout).toContain('SNOOZED UNTIL')
    const then = await program.run(['tsq', 'list', '--at', new Date().toISOString(), '--json'], on(setup))
    expect(then.json()).toMatchObject({ items: [{ snoozedUntil: null }, { snoozedUntil: until }] })

    const many = await program.run(['tsq', 'snooze', '--all', '--until', '30m', '--operator', 'jane'], on(setup))
    expect(many).toMatchObject({ code: 0, stdout: 'Snoozed 2 of 2.\n' })
    expect((await list('--snoozed', 'true')).total).toBe(2)
  })

  test('needs a time in the future', async () => {
    const setup = await createTestBus()
    const id = await parked(setup)
    for (const [until, said] of [
      ['2020-01-01', 'until: must be a time in the future, at most a year from now'],
      ['9999d', 'until: must be a time in the future, at most a year from now'],
      ['soon', '--until: must be an ISO 8601 date or time, or a time from now like 30m, 12h or 7d'],
    ] as const) {
      const refused = await program.run(['tsq', 'snooze', id, '--until', until], on(setup))
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(said)])
    }
    expect((await program.run(['tsq', 'snooze', id], on(setup))).stderr).toContain('--until')
    expect(await auditNames(setup.bus, 'payments', id)).not.toContain('OPERATOR_SNOOZE')
  })
})
