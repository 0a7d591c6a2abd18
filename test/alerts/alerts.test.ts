import { spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { AlertNotFoundError, type CommandBusOptions, InvalidInputError } from '../../src/index.ts'
import { isLocalAddress, LocalAddressError, publicLookup } from '../../src/infrastructure/alerts/addresses.ts'
import { createTestBus, signal, type TestBus } from '../support/bus.ts'
import { parked } from '../support/park.ts'
import { compiledSource } from '../support/servers/compiled.ts'
import { createReceiver, SECRET } from './receiver.ts'

const limits = { pollMs: 20, standbyMs: 20, waitsMs: [60, 60, 60], timeoutMs: 400 }
const local = { allowLocal: true, limits }

const open = async (options: CommandBusOptions['alerts'] = local) => {
  const logged: string[] = []
  const note = (fields: object, message: string): void =>
    void logged.push(
      JSON.stringify({ message, ...fields }, (_, value) => (value instanceof Error ? `${value.stack}` : value)),
    )
  const setup = await createTestBus({ alerts: options, log: { debug: note, info: note, warn: note, error: note } })
  const receiver = await createReceiver()
  const set = (over = {}) =>
    setup.bus.alerts.set('on-call', { url: receiver.url, secret: SECRET, on: 'groups', ...over }, { operator: 'jane' })
  const sent = async () => (await setup.bus.alerts.sent('on-call')).items
  const received = (n: number) =>
    setup.until(
      async () => receiver.received.length,
      count => count >= n,
    )
  return { ...setup, receiver, set, sent, received, logged }
}
const fail = (setup: TestBus, errorCode: string) => parked(setup, 'payments', {}, { errorCode })

describe('a new cause', () => {
  test('O5: is told once, signed; again when it was empty; not while it is snoozed or under investigation', async () => {
    const opened = await open({ ...local, publicUrl: 'https://bus.example.com' })
    const { bus, receiver, set, received, sent } = opened
    await fail(opened, 'A')
    void bus.alerts.run()
    expect(await set()).toMatchObject({
      name: 'on-call',
      on: ['groups'],
      setBy: 'jane',
      quiet: null,
      digestMinutes: null,
    })
    await received(1)
    const first = await fail(opened, 'A')
    await fail(opened, 'B')
    await received(2)
    expect(receiver.received.map(({ body }) => body.causes.map(({ errorCode }) => errorCode))).toEqual([['A'], ['B']])
    expect(receiver.received[1]?.body.text).toMatch(
      /^\*commandbus: on-call\*\n1 command of payments Charge with B, since .* UTC <https:\/\/bus\.example\.com\/troubleshooting\?view=list&/,
    )
    await opened.until(sent, items => items.filter(({ status }) => status === 'SENT').length === 2)
    expect(await sent()).toMatchObject([
      { attempts: 1, test: false, lastError: null },
      { id: receiver.received[0]?.id },
    ])

    // both commands of A leave the alarm, and one is back
    const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'A' }
    const subjects = () => opened.pool.query('select from command_bus_alert_subject')
    await bus.causes.investigate({ ...cause, until: new Date(Date.now() + 60_000).toISOString() })
    await opened.until(subjects, ({ rowCount }) => rowCount === 1)
    await bus.causes.investigate({ ...cause, until: null })
    await received(3)
    expect(receiver.received[2]?.body.text).toContain('2 commands of payments Charge with A')
    await bus.troubleshooting.cancel('payments', first, { operator: 'jane', reason: 'x' })
    expect(receiver.ids()).toHaveLength(3)
    expect(receiver.refused).toEqual([])
    // noted after it has been received
    await opened.until(sent, items => items.filter(({ status }) => status === 'SENT').length === 3)
    expect(await bus.alerts.get('on-call')).toMatchObject({ waiting: 0, givenUp: 0, lastError: null })
  })

  test('O5: by domain, late replies, and what is held by quiet hours and a digest', async () => {
    let late = { total: 0, oldest: null as string | null, late: 0 }
    const opened = await open({ ...local, lateReplies: async () => late })
    const { bus, receiver, set, received } = opened
    const hour = new Date().getUTCHours()
    const at = (hours: number): string => `${String((hours + 24) % 24).padStart(2, '0')}:00`
    await set({ on: ['parked', 'lateReplies'], quiet: { from: at(hour - 1), to: at(hour + 2), timeZone: 'UTC' } })
    void bus.alerts.run()
    await fail(opened, 'A')
    await fail(opened, 'B')
    late = { total: 9, oldest: '2026-01-01T00:00:00.000Z', late: 3 }
    const pending = () => opened.pool.query('select from command_bus_alert_subject where pending_since is not null')
    await opened.until(pending, ({ rowCount }) => rowCount === 2)
    await set({ on: ['parked', 'lateReplies'], digestMinutes: 1_440 })
    expect([receiver.received, (await pending()).rowCount]).toEqual([[], 2])
    await opened.pool.query(`update command_bus_alert_subject set pending_since = pending_since - interval '1 day'`)
    await received(1)
    expect(receiver.received[0]?.body.text.split('\n').slice(1).sort()).toEqual([
      expect.stringMatching(/^2 commands in troubleshooting in payments, since /),
      '3 replies are late, since 2026-01-01 00:00 UTC',
    ])
  })
})

describe('a receiver', () => {
  test('O5: that fails, times out and comes back gets each alert once by its id; one that stays away is given up, and that is shown', async () => {
    const opened = await open()
    const { bus, receiver, set, received, sent, logged } = opened
    const accepted: string[] = []
    receiver.answer(({ id }, response) => {
      const tries = receiver.received.filter(one => one.id === id).length
      if (tries === 1) response.writeHead(500).end()
      else if (tries === 2)
        return // no answer
      else {
        accepted.push(id)
        response.writeHead(200).end('ok')
      }
    })
    await set()
    void bus.alerts.run()
    await fail(opened, 'A')
    await opened.until(sent, ([one]) => one?.status === 'SENT')
    expect(receiver.received.map(({ id }) => id)).toEqual(Array(3).fill(accepted[0]))
    expect(await sent()).toMatchObject([{ id: accepted[0], attempts: 3 }])

    receiver.answer((_, response) => void response.writeHead(302, { location: 'https://example.com' }).end())
    await fail(opened, 'B')
    await received(7)
    const [given] = await opened.until(sent, ([one]) => one?.status === 'GIVEN_UP')
    expect(given).toMatchObject({
      attempts: 4,
      nextAttemptAt: null,
      lastError: 'the receiver answered 302: redirects are not followed, set the address it names',
    })
    expect(receiver.received).toHaveLength(7)
    expect(await bus.alerts.get('on-call')).toMatchObject({ waiting: 0, givenUp: 1, lastError: given?.lastError })
    expect(logged.join('\n')).toContain('an alert was given up')
    expect(logged.join('\n')).not.toMatch(new RegExp(`${SECRET}|in-the-address`))
  })

  test('O5: that does not answer keeps no other receiver waiting, and gets one at a time', async () => {
    const opened = await open({ ...local, limits: { ...limits, waitsMs: [200_000], timeoutMs: 100_000 } })
    const { bus, receiver, set, sent } = opened
    const [held, answered] = [await createReceiver(), signal()]
    held.answer(async (_, response) => {
      await answered.promise
      response.writeHead(204).end()
    })
    await set()
    await bus.alerts.set('held', { url: held.url, secret: SECRET, on: 'groups' })
    void bus.alerts.run()
    for (const [i, code] of ['A', 'B', 'C'].entries()) {
      await fail(opened, code)
      await opened.received(i + 1)
    }
    await opened.until(sent, items => items.filter(({ status }) => status === 'SENT').length === 3)
    expect(held.received).toHaveLength(1)
    expect(receiver.received).toHaveLength(3)
    answered.resolve()
    const ofHeld = async () => (await bus.alerts.sent('held')).items
    await opened.until(ofHeld, items => items.length === 3 && items.every(({ status }) => status === 'SENT'))
    expect([held.received.length, held.ids().length]).toEqual([3, 3])
  })

  test('O5: each alert once with two senders, kill -9 between send and mark, and the mark of a send aborted', async () => {
    const opened = await open()
    const { bus, database, receiver, set, log } = opened
    const waitsMs = Array(9).fill(300)
    const options = JSON.stringify({ ...log, alerts: { ...local, limits: { ...limits, waitsMs, timeoutMs: 5_000 } } })
    const script = fileURLToPath(new URL('./alerts-child.mjs', import.meta.url))
    const start = () => spawn(process.execPath, [script, compiledSource(), database.url, options], { stdio: 'inherit' })
    await set()
    const killed = signal()
    const child = start()
    receiver.answer(async (_, response) => {
      child.kill('SIGKILL')
      await once(child, 'exit')
      response.destroy()
      killed.resolve()
    })
    await fail(opened, 'A')
    await killed.promise
    // the next sender's connection breaks before it can mark; a third stands by
    const aborted = signal()
    receiver.answer(async (_, response) => {
      receiver.answer((__, other) => void other.writeHead(204).end())
      await opened.pool.query(
        `select pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a using (pid)
         where l.locktype = 'advisory' and a.datname = current_database()
           and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('command_bus_projection alerts', 0)`,
      )
      response.writeHead(204).end()
      aborted.resolve()
    })
    const others = [start(), start()]
    try {
      await aborted.promise
      await opened.until(opened.sent, ([one]) => one?.status === 'SENT')
      expect(receiver.ids()).toHaveLength(1)
      expect(receiver.received).toHaveLength(3)
      expect(await opened.sent()).toMatchObject([{ id: receiver.ids()[0], attempts: 3 }])
      await fail(opened, 'B')
      await opened.until(opened.sent, items => items.filter(({ status }) => status === 'SENT').length === 2)
      expect([receiver.ids().length, receiver.received.length]).toEqual([2, 4])
    } finally {
      for (const other of others) other.kill('SIGKILL')
      await bus.alerts.delete('on-call')
    }
  })
})

describe('an alert', () => {
  test('O5: is tested, changed without its secret, listed without it, and deleted', async () => {
    const { bus, receiver, set, sent, logged } = await open()
    await set()
    expect(await bus.alerts.test('on-call')).toMatchObject({ sent: true, error: null })
    expect(receiver.received[0]?.body).toMatchObject({ test: true, causes: [] })
    const changed = await bus.alerts.set('on-call', { url: receiver.url, on: ['groups', 'parked'], digestMinutes: 5 })
    expect(changed).toMatchObject({ on: ['groups', 'parked'], digestMinutes: 5, lastSentAt: expect.any(String) })
    receiver.answer((_, response) => void response.writeHead(503).end())
    expect(await bus.alerts.test('on-call')).toMatchObject({ sent: false, error: 'the receiver answered 503' })
    expect(receiver.refused).toEqual([])
    expect(await sent()).toMatchObject([
      { test: true, status: 'FAILED', lastError: 'the receiver answered 503' },
      { test: true, status: 'SENT' },
    ])
    expect((await bus.alerts.sent('on-call', { limit: 1 })).nextCursor).not.toBe(null)
    expect(JSON.stringify([await bus.alerts.list(), await sent(), logged])).not.toContain(SECRET)
    expect(await bus.alerts.delete('on-call', { operator: 'jane' })).toEqual({ name: 'on-call' })
    expect(await bus.alerts.list()).toEqual([])
    for (const call of ['get', 'test', 'sent', 'delete'] as const)
      await expect(bus.alerts[call]('on-call')).rejects.toThrow(AlertNotFoundError)
  })

  test('O5: belongs to the scope of its operator, and is about the commands of that scope', async () => {
    const opened = await open()
    const { bus, receiver, received } = opened
    const acme = bus.as({ subject: 'ann', tenant: 'acme', roles: ['OPERATOR'] })
    const other = bus.as({ subject: 'bob', tenant: 'other', roles: ['OPERATOR'] })
    await acme.alerts.set('on-call', { url: receiver.url, secret: SECRET, on: 'groups' })
    expect([(await acme.alerts.list()).length, await other.alerts.list(), await bus.alerts.list()]).toEqual([1, [], []])
    await expect(other.alerts.get('on-call')).rejects.toThrow(AlertNotFoundError)
    await expect(acme.alerts.set('late', { url: receiver.url, secret: SECRET, on: 'lateReplies' })).rejects.toThrow(
      'on: lateReplies is about all tenants',
    )
    void bus.alerts.run()
    await parked(opened, 'payments', {}, { tenantId: 'other', errorCode: 'NOT_OURS' })
    await parked(opened, 'payments', {}, { tenantId: 'acme', errorCode: 'OURS' })
    await received(1)
    expect(receiver.received.map(({ body }) => body.causes[0]?.errorCode)).toEqual(['OURS'])
  })

  test('O5: with settings that are wrong is refused in a sentence, and nothing is set', async () => {
    const { bus } = await createTestBus()
    const wrong: readonly (readonly [object, string])[] = [
      [{ url: 'http://hooks.example.com/' }, 'url: must be an https address'],
      [{ url: 'nonsense' }, 'url: must be an https address'],
      [{ url: 'https://ann:pass@hooks.example.com/' }, 'url: must have no user and no password'],
      [{ url: 'https://127.0.0.1/' }, 'url: is of a private network or this machine'],
      [{ url: 'https://[::ffff:10.0.0.1]/' }, 'url: is of a private network'],
      [{ url: 'https://0x7f.1/' }, 'url: is of a private network'],
      [{ url: 'https://169.254.169.254/latest' }, 'url: is of a private network'],
      [{ url: 'https://metadata.localhost/' }, 'url: is of a private network'],
      [{ secret: 'short' }, 'secret: it must be 16 to 200'],
      [{ secret: undefined }, 'secret: it is required for a new alert'],
      [{ on: [] }, 'on: must name one of parked, groups, lateReplies'],
      [{ on: 'everything' }, 'on: must be one of'],
      [{ quiet: { from: '7', to: '08:00', timeZone: 'UTC' } }, 'quiet.from: must be a time of the day like 07:00'],
      [{ quiet: { from: '07:00', to: '08:00', timeZone: 'Berlin' } }, 'quiet.timeZone: must be a time zone like'],
      [{ digestMinutes: 0 }, 'digestMinutes: must be a whole number from 1 to 1440'],
    ]
    for (const [over, message] of wrong) {
      const given = { url: 'https://hooks.example.com/x', secret: SECRET, on: 'groups', ...over }
      const refused = bus.alerts.set('on-call', given as never)
      await expect(refused).rejects.toThrow(InvalidInputError)
      await expect(refused).rejects.toThrow(message)
    }
    await expect(bus.alerts.set('no good', { url: 'https://a.example', on: 'groups' })).rejects.toThrow('name: must be')
    expect(await bus.alerts.list()).toEqual([])
  })

  test('O5: nothing is sent to a name of this machine or of a private network, whatever it resolves to', async () => {
    expect(await lookup('localhost')).toBeTruthy()
    for (const all of [true, false]) {
      const error = await new Promise(done => publicLookup('localhost', { all }, done))
      expect(error).toBeInstanceOf(LocalAddressError)
    }
    const addresses = [
      '10.1.2.3',
      '::1',
      '::',
      'fd00::1',
      'fe80::1',
      '::ffff:192.168.0.1',
      '64:ff9b::a00:1',
      '100.64.0.1',
    ]
    expect(addresses.filter(address => !isLocalAddress(address))).toEqual([])
    expect(['93.184.216.34', '2606:2800:220:1::1', '172.32.0.1'].filter(isLocalAddress)).toEqual([])
    // set while it was allowed
    const { bus, receiver, set, another } = await open()
    await set()
    const strict = another({ alerts: { limits } })
    expect(await strict.alerts.test('on-call')).toMatchObject({
      sent: false,
      error: expect.stringContaining('its address belongs to a private network'),
    })
    expect([receiver.received, (await bus.alerts.list()).length]).toEqual([[], 1])
  })
})
