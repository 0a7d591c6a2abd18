import { describe, expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'

const QUEUE = 'payments__commands'

interface Seen {
  readonly id: string
  readonly type: string
  readonly data: unknown
}

/** A bus with a queue, the handled commands, and a worker to start after the message was changed. */
const createBus = async (options: Parameters<typeof createTestBus>[0] = {}) => {
  const lines: object[] = []
  const note = (line: unknown) => void lines.push(line as object)
  const log = { debug: () => {}, info: () => {}, warn: note, error: note }
  const setup = await createTestBus({ ...options, log })
  const ran: Seen[] = []
  const work = () =>
    setup.work({
      domain: 'payments',
      handlers: {
        '*': (data, { command }) => void ran.push({ id: command.commandId, type: command.commandType, data }),
      },
    })
  const status = (id: string) =>
    setup.until(
      () => setup.bus.getCommand('payments', id),
      seen => seen !== null,
    )
  const ends = (id: string) =>
    setup.until(
      () => setup.bus.getCommand('payments', id),
      seen => seen !== null && !['PENDING', 'IN_PROGRESS'].includes(seen.status),
    )
  const change = (set: string, where = 'true') =>
    setup.pool.query(`update pgmq.q_${QUEUE} set message = ${set} where ${where}`)
  return { ...setup, ran, lines, work, status, ends, change }
}

const parkedAs = { status: 'IN_TROUBLESHOOTING_QUEUE', parkedReason: 'TAMPERED', lastErrorCode: 'TAMPERED' }

const noteSecurity = (lines: readonly object[]) =>
  lines.filter(line => (line as { security?: string }).security === 'tampered message')

describe('G10: a worker runs what the log says', () => {
  test.each([
    ['payload', `message || '{"data": {"amount": 1000000}}'`, '/data/amount'],
    ['payload, by a member more', `jsonb_set(message, '{data,to}', '"mallory"')`, '/data/to'],
    ['payload, gone', `message || '{"data": null}'`, '/data'],
    ['type', `message || '{"command_type": "Refund"}'`, '/command_type'],
    ['reply queue', `message || '{"reply_to": "mallory__replies"}'`, '/reply_to'],
    ['correlation id', `message || '{"correlation_id": "other"}'`, '/correlation_id'],
    ['domain', `message || '{"domain": "shop"}'`, '/domain'],
    ['id', `message || '{"command_id": "00000000-0000-4000-8000-000000000000"}'`, '/command_id'],
    ['id, gone', `message - 'command_id'`, '/command_id'],
    ['all of it', `'[1]'`, ''],
  ])(
    'G10: a message that was changed on the queue (%s) does not run; its command is parked as TAMPERED',
    async (_, set, path) => {
      const { bus, ran, lines, work, ends, change, until, messages } = await createBus()
      const { commandId } = await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'payments__replies' })
      await change(set)
      await work()
      expect(await ends(commandId)).toMatchObject(parkedAs)
      expect(ran).toEqual([])
      expect(noteSecurity(lines)).toMatchObject([{ domain: 'payments', commandId, differences: [path] }])
      const history = await bus.getHistory('payments', commandId)
      expect(history.items.at(-1)?.event).toMatchObject({
        type: 'CommandMovedToTroubleshooting',
        reason: 'TAMPERED',
        error: { type: 'TAMPERED', details: { differences: [path] } },
      })
      // the message does not contain the payload, which may be secret
      expect(JSON.stringify(history.items.at(-1)?.event)).not.toContain('1000000')
      await until(
        () => messages(QUEUE),
        seen => seen.length === 0,
      )
      // an operator inspects it, and retries the original payload
      await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
      expect(await ends(commandId)).toMatchObject({ status: 'COMPLETED' })
      expect(ran).toEqual([{ id: commandId, type: 'Charge', data: { amount: 5 } }])
    },
  )

  test('G10: a changed message parks its command, whatever the policy says about exhausted attempts', async () => {
    const { bus, work, ends, change } = await createBus()
    const { commandId } = await bus.send('payments', 'Charge', { amount: 5 }, { onExhausted: 'fail' })
    await change(`message || '{"data": 1}'`)
    await work()
    expect(await ends(commandId)).toMatchObject(parkedAs)
  })

  test('G10: a payload changed in the archive is detected after a retry, and the next retry runs the payload of the log', async () => {
    const setup = await createBus()
    const { bus, ran, pool, work, ends } = setup
    const commandId = await parked(setup)
    await pool.query(`update pgmq.a_${QUEUE} set message = message || '{"data": {"amount": 1000000}}'`)
    await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
    await work()
    expect(await ends(commandId)).toMatchObject(parkedAs)
    expect(ran).toEqual([])
    await bus.troubleshooting.retry('payments', commandId, { operator: 'jane', data: { amount: 6 } })
    expect(await ends(commandId)).toMatchObject({ status: 'COMPLETED' })
    expect(ran).toEqual([{ id: commandId, type: 'Charge', data: { amount: 6 } }])
  })

  test('G10: a message that names another command parks the command that it belongs to; the named one runs as it was sent', async () => {
    const { bus, ran, work, ends, change } = await createBus()
    const first = await bus.send('payments', 'Charge', { amount: 1 })
    const second = await bus.send('payments', 'Charge', { amount: 2 })
    await change(
      `message || jsonb_build_object('command_id', '${second.commandId}')`,
      `message->>'command_id' = '${first.commandId}'`,
    )
    await work()
    expect(await ends(first.commandId)).toMatchObject(parkedAs)
    expect(await ends(second.commandId)).toMatchObject({ status: 'COMPLETED' })
    expect(ran).toEqual([{ id: second.commandId, type: 'Charge', data: { amount: 2 } }])
  })

  test('G10: the row is not trusted: changes in it affect neither what runs nor what is answered', async () => {
    const { bus, ran, pool, work, until, messages } = await createBus()
    const { commandId } = await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'payments__replies' })
    await pool.query(
      `update command_bus_command set command_type = 'Refund', reply_queue = 'mallory__replies', correlation_id = 'other'`,
    )
    await work()
    const replies = await until(
      () => messages('payments__replies'),
      seen => seen.length === 1,
    )
    expect(replies[0]?.message).toMatchObject({ type: 'ChargeResponse', outcome: 'SUCCESS' })
    expect(replies[0]?.message.correlation_id).not.toBe('other')
    expect(ran).toEqual([{ id: commandId, type: 'Charge', data: { amount: 5 } }])
  })

  test('G10: an equivalent message runs: other forms of numbers, repeated names, another order, missing or further members', async () => {
    const { bus, ran, work, ends, change } = await createBus()
    const data = { amount: 100, share: 1, list: [1, { a: null, b: 'é' }], none: 0, __proto: 1 }
    const { commandId } = await bus.send('payments', 'Charge', data, { replyTo: 'payments__replies' })
    await change(`(message - 'created_at' - 'reply_to' - 'correlation_id' - 'traceparent') || '{"later": "member", "reply_to": null}'
      || '{"data": {"list": [1.0, {"b": "\\u00e9", "a": 1, "a": null}], "share": 1.00, "none": -0.0, "__proto": 1, "amount": 1e2}}'`)
    await work()
    expect(await ends(commandId)).toMatchObject({ status: 'COMPLETED' })
    expect(ran).toEqual([{ id: commandId, type: 'Charge', data }])
  })

  test('G10: a message of a command of another domain is kept apart, and nothing runs', async () => {
    const { bus, ran, pool, work, until } = await createBus()
    const { commandId } = await bus.send('shop', 'Charge', { amount: 5 })
    const { commandId: own } = await bus.send('payments', 'Charge', { amount: 6 })
    for (const domain of ['shop', 'payments']) {
      await pool.query(`select pgmq.send('${QUEUE}', $1)`, [
        { command_id: commandId, command_type: 'Charge', domain, data: { amount: 5 } },
      ])
    }
    await work()
    await until(
      () => bus.strangers.list({ queue: QUEUE }),
      ({ items }) => items.length === 2,
    )
    await until(
      () => bus.getCommand('payments', own),
      seen => seen?.status === 'COMPLETED',
    )
    expect(ran.map(({ id }) => id)).toEqual([own])
    expect(await bus.getCommand('shop', commandId)).toMatchObject({ status: 'PENDING' })
  })

  test('F13: a second message that names a command neither runs nor parks it, whatever it says', async () => {
    const { bus, ran, pool, work, ends, until } = await createBus()
    const { commandId } = await bus.send('payments', 'Charge', { amount: 5 })
    const same = { command_id: commandId, command_type: 'Charge', domain: 'payments', data: { amount: 5 } }
    for (const message of [{ ...same, data: { amount: 1_000_000 } }, same]) {
      await pool.query(`select pgmq.send('${QUEUE}', $1)`, [message])
    }
    await work()
    expect(await ends(commandId)).toMatchObject({ status: 'COMPLETED' })
    const { items } = await until(
      () => bus.strangers.list({ domain: 'payments' }),
      ({ items }) => items.length === 2,
    )
    expect(items.map(({ why }) => why)).toEqual(Array(2).fill(`command ${commandId} has another message`))
    expect(ran).toEqual([{ id: commandId, type: 'Charge', data: { amount: 5 } }])
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 2 })
  })
})
