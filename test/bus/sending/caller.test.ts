import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { BusCalls } from '../../../src/application/access/bus-calls.ts'
import { createCaller } from '../../../src/application/access/caller.ts'
import type { CallerDeps } from '../../../src/application/access/calling.ts'
import { roleAuthorization } from '../../../src/application/access/roles.ts'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import { permissions, roles } from '../../../src/application/ports/authorization.ts'
import { systemClock } from '../../../src/application/ports/clock.ts'
import type { EventStore } from '../../../src/application/ports/event-store.ts'
import { cancelCommand } from '../../../src/application/troubleshooting/operate-command.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { type Caller, CommandNotFoundError, ForbiddenError, type Identity } from '../../../src/index.ts'
import { uuidIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { createMemoryEventStore } from '../../../src/testing/memory/event-store.ts'
import { createTestBus } from '../../support/bus.ts'
import { sending } from '../../support/lives/command-store.ts'
import { auditNames, parked } from '../../support/park.ts'

const causeKey = { domain: 'a', commandType: 'T', errorCode: 'X' }
const ID = '00000000-0000-4000-8000-000000000001'
const identity = (part: Partial<Identity> = {}): Identity => ({
  subject: 'jane@example.com',
  tenant: null,
  roles: ['ADMIN', 'BUBBLE_ADMIN'],
  ...part,
})

const nightly = { domain: 'a', commandType: 'X', data: 1, cron: '30 2 * * *' }

/** Every call of a caller, with the permission that it needs. */
const calls: readonly (readonly [name: string, permission: string, call: (caller: Caller) => Promise<unknown>])[] = [
  ['send', 'send', caller => caller.send('a', { commandType: 'X', data: 1 })],
  ['sendBatch', 'send', caller => caller.sendBatch('a', [{ commandType: 'X', data: 1 }])],
  ['request', 'send', caller => caller.request('a', { commandType: 'X', data: 1 }, { timeoutMs: 1 })],
  ['cancel', 'send', caller => caller.cancel('a', ID)],
  ['reschedule', 'reschedule', caller => caller.reschedule('a', ID, { delaySeconds: 0 })],
  ['getCommand', 'read', caller => caller.getCommand('a', ID)],
  ['queryCommands', 'read', caller => caller.queryCommands({})],
  ['auditTrail', 'audit', caller => caller.auditTrail('a', ID)],
  ['history', 'audit', caller => caller.history('a', ID)],
  ['attempts', 'audit', caller => caller.attempts('a', ID)],
  ['correlation', 'audit', caller => caller.correlation('c')],
  ['troubleshooting.listAt', 'audit', caller => caller.troubleshooting.listAt({})],
  ['troubleshooting.list', 'read', caller => caller.troubleshooting.list({})],
  ['troubleshooting.groups', 'read', caller => caller.troubleshooting.groups({})],
  [
    'troubleshooting.explain',
    'audit',
    caller => caller.troubleshooting.explain({ domain: 'a', commandType: 'X', errorCode: 'E' }),
  ],
  ['troubleshooting.retry', 'operate', caller => caller.troubleshooting.retry('a', ID, {})],
  ['troubleshooting.cancel', 'operate', caller => caller.troubleshooting.cancel('a', ID, { reason: 'x' })],
  ['troubleshooting.complete', 'operate', caller => caller.troubleshooting.complete('a', ID, {})],
  [
    'troubleshooting.snooze',
    'operate',
    caller => caller.troubleshooting.snooze('a', ID, { until: new Date(Date.now() + 60_000).toISOString() }),
  ],
  ['troubleshooting.note', 'operate', caller => caller.troubleshooting.note('a', ID, { text: 'x' })],
  ['troubleshooting.assign', 'operate', caller => caller.troubleshooting.assign('a', ID, { assignee: 'x' })],
  ['troubleshooting.tag', 'operate', caller => caller.troubleshooting.tag('a', ID, { tags: ['x'] })],
  ['troubleshooting.endAttempt', 'operate', caller => caller.troubleshooting.endAttempt('a', ID, { reason: 'x' })],
  ['troubleshooting.rehearse', 'operate', caller => caller.troubleshooting.rehearse('a', ID)],
  ['troubleshooting.rehearsable', 'operate', caller => caller.troubleshooting.rehearsable()],
  ['troubleshooting.start', 'operate', caller => caller.troubleshooting.start({ action: 'retry', filter: {} })],
  ['troubleshooting.dryRun', 'operate', caller => caller.troubleshooting.dryRun({ action: 'retry', filter: {} })],
  ['troubleshooting.action', 'operate', caller => caller.troubleshooting.action(ID)],
  ['troubleshooting.actions', 'operate', caller => caller.troubleshooting.actions()],
  ['troubleshooting.stop', 'operate', caller => caller.troubleshooting.stop(ID)],
  ['alerts.list', 'operate', caller => caller.alerts.list()],
  ['alerts.get', 'operate', caller => caller.alerts.get('x')],
  ['alerts.set', 'operate', caller => caller.alerts.set('x', { url: 'https://a.example', on: 'groups' })],
  ['alerts.delete', 'operate', caller => caller.alerts.delete('x')],
  ['alerts.test', 'operate', caller => caller.alerts.test('x')],
  ['alerts.sent', 'operate', caller => caller.alerts.sent('x')],
  ['causes.list', 'read', caller => caller.causes.list()],
  ['causes.note', 'operate', caller => caller.causes.note({ ...causeKey, text: 'x' })],
  ['causes.assign', 'operate', caller => caller.causes.assign({ ...causeKey, assignee: 'x' })],
  ['causes.tag', 'operate', caller => caller.causes.tag({ ...causeKey, tags: ['x'] })],
  ['causes.investigate', 'operate', caller => caller.causes.investigate({ ...causeKey, until: null })],
  ['troubleshooting.pause', 'operate', caller => caller.troubleshooting.pause(ID)],
  ['troubleshooting.resume', 'operate', caller => caller.troubleshooting.resume(ID)],
  ['pause', 'operate', caller => caller.pause({ domain: 'a', reason: 'x' })],
  ['resume', 'operate', caller => caller.resume(ID)],
  ['pauses', 'read', caller => caller.pauses()],
  ['lanes.list', 'read', caller => caller.lanes.list()],
  ['lanes.get', 'read', caller => caller.lanes.get('a', 'b')],
  ['lanes.set', 'operate', caller => caller.lanes.set('a', 'b', { width: 1 })],
  ['lanes.listAt', 'audit', caller => caller.lanes.listAt('2026-01-01')],
  ['limits.list', 'read', caller => caller.limits.list()],
  ['limits.get', 'read', caller => caller.limits.get('a', 'b')],
  ['limits.set', 'operate', caller => caller.limits.set('a', 'b', { by: 'type', width: 1 })],
  ['limits.delete', 'operate', caller => caller.limits.delete('a', 'b')],
  ['schedules.list', 'read', caller => caller.schedules.list()],
  ['schedules.get', 'read', caller => caller.schedules.get('a')],
  ['schedules.set', 'operate', caller => caller.schedules.set('a', nightly)],
  ['schedules.delete', 'operate', caller => caller.schedules.delete('a')],
  ['schedules.pause', 'operate', caller => caller.schedules.pause('a', 'x')],
  ['schedules.resume', 'operate', caller => caller.schedules.resume('a')],
  ['schedules.run', 'operate', caller => caller.schedules.run('a')],
  ['workers.list', 'read', caller => caller.workers.list()],
  ['workers.missing', 'read', caller => caller.workers.missing()],
  ['live', 'read', caller => caller.live({ after: 'now' })],
  ['stats', 'read', caller => caller.stats()],
  ['figures.types', 'read', caller => caller.figures.types()],
  ['figures.queues', 'read', caller => caller.figures.queues()],
  ['figures.causes', 'read', caller => caller.figures.causes()],
  ['figures.status', 'read', caller => caller.figures.status()],
  ['operations.start', 'operations', caller => caller.operations.start({ operation_type: 'x', parameters: 1 })],
  ['operations.get', 'operations', caller => caller.operations.get(ID)],
  ['operations.list', 'operations', caller => caller.operations.list({})],
  ['operations.retry', 'operations', caller => caller.operations.retry(ID)],
  ['runs.createTemplate', 'runs', caller => caller.runs.createTemplate({ name: 'x', creditsPerRun: 1 })],
  ['runs.archiveTemplate', 'runs', caller => caller.runs.archiveTemplate(ID)],
  ['runs.listTemplates', 'runs', caller => caller.runs.listTemplates()],
  ['runs.initiate', 'runs', caller => caller.runs.initiate({ templateId: ID, files: [] })],
  ['runs.get', 'runs', caller => caller.runs.get(ID)],
  ['runs.list', 'runs', caller => caller.runs.list()],
  ['runs.cancel', 'runs', caller => caller.runs.cancel(ID)],
  ['replies.owed', 'read', caller => caller.replies.owed()],
  ['replies.undelivered', 'operate', caller => caller.replies.undelivered()],
  ['replies.deliverAgain', 'operate', caller => caller.replies.deliverAgain()],
  ['search.declared', 'read', caller => caller.search.declared()],
  ['search.declare', 'operate', caller => caller.search.declare({ commandType: 'X', paths: ['a'] })],
  ['search.drop', 'operate', caller => caller.search.drop({ commandType: 'X', path: 'a' })],
  ['views.list', 'read', caller => caller.views.list()],
  ['views.get', 'read', caller => caller.views.get('a')],
  ['views.set', 'read', caller => caller.views.set('a', { list: 'commands', filter: {} })],
  ['views.delete', 'read', caller => caller.views.delete('a')],
  ['strangers.list', 'operate', caller => caller.strangers.list()],
  ['strangers.adopt', 'operate', caller => caller.strangers.adopt()],
  ['strangers.drop', 'operate', caller => caller.strangers.drop({ reason: 'x' })],
  ['runs.previewRetry', 'runs', caller => caller.runs.previewRetry(ID)],
  ['runs.history', 'audit', caller => caller.runs.history(ID)],
  ['runs.retryFailed', 'runs', caller => caller.runs.retryFailed(ID)],
  ['credits.balance', 'runs', caller => caller.credits.balance()],
  ['credits.entries', 'runs', caller => caller.credits.entries()],
  ['credits.grant', 'grant', caller => caller.credits.grant({ pool: 'monthly', amount: 1, reason: 'x' })],
]

/** Fails the test at any call. */
const untouchable = (name: string): never =>
  new Proxy(() => {}, {
    get: (_, member) => untouchable(`${name}.${String(member)}`),
    apply: () => {
      throw new Error(`${name} was called`)
    },
  }) as never

const untouchableDeps = (): CallerDeps => ({
  authorization: { allows: () => false },
  reservedDomains: new Map(),
  mayReplyTo: untouchable('mayReplyTo'),
  admit: untouchable('admit'),
  bus: untouchable('bus'),
  send: untouchable('send'),
  sendBatch: untouchable('sendBatch'),
  request: untouchable('request'),
  requestQueue: 'requests',
  subscribe: untouchable('subscribe'),
  stats: untouchable('stats'),
  log: untouchable('log'),
  sensitive: untouchable('sensitive'),
})

describe.each(calls)('%s', (_, permission, call) => {
  test('asks for its permission before anything else happens', async () => {
    await expect(call(createCaller(untouchableDeps(), identity()))).rejects.toThrow(ForbiddenError)
    const asked: string[] = []
    const authorization = { allows: (_who: Identity, what: string) => asked.push(what) < 0 }
    await expect(call(createCaller({ ...untouchableDeps(), authorization }, identity()))).rejects.toThrow(
      ForbiddenError,
    )
    expect(asked).toEqual([permission])
  })

  test('goes on once it is allowed', async () => {
    const deps = { ...untouchableDeps(), authorization: roleAuthorization }
    await expect(call(createCaller(deps, identity()))).rejects.toThrow(/was called/)
  })
})

/** The rows of a table of docs/security.md: the call, and whether each role may make it. */
const documented = async (name: string) => {
  const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8')
  const [, ...lines] = page.split(`<!-- generated: ${name} -->`)[1]?.split('<!-- end -->')[0]?.trim().split('\n') ?? []
  return lines.slice(1).map(line => {
    const [what = '', , ...cells] = line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
    return { what, may: roles.filter((_, i) => cells[i] === 'yes') }
  })
}

test('G3: each cell of the table of calls in docs/security.md is what the library does', async () => {
  const { bus } = await createTestBus()
  const rows = await documented('library')
  expect(rows.map(({ what }) => what).sort()).toEqual(calls.map(([name]) => name).sort())
  for (const [name, , call] of calls) {
    const may = rows.find(({ what }) => what === name)?.may ?? []
    for (const role of roles) {
      // lanes, causes and declared paths are of all tenants
      const tenant = /^(lanes|limits|causes|search)\./.test(name) ? null : 't1'
      const done = call(bus.as(identity({ roles: [role], tenant })))
      const error = await done.then(
        result => (result as { readonly close?: () => void } | null)?.close?.(),
        thrown => thrown,
      )
      // an unknown id, or a run without files: a caller that gets this error had the permission
      if (may.includes(role)) expect(error, `${name} as ${role}`).not.toBeInstanceOf(ForbiddenError)
      else {
        expect(error, `${name} as ${role}`).toMatchObject({ code: 'FORBIDDEN' })
        for (const allowed of may) expect((error as Error).message).toContain(allowed)
      }
    }
  }
})

test('the table above has every call', () => {
  const caller = createCaller(untouchableDeps(), identity())
  expect(caller.allows('read')).toBe(false)
  expect(() => caller.demand('read')).toThrow(ForbiddenError)
  const namesIn = (part: object, prefix = ''): string[] => {
    const names: string[] = []
    for (const name in part) {
      if (Object.hasOwn(part, name)) continue
      const member = part[name as never] as object
      names.push(...(typeof member === 'function' ? [`${prefix}${name}`] : namesIn(member, `${prefix}${name}.`)))
    }
    return names
  }
  expect(namesIn(caller).sort()).toEqual(calls.map(([name]) => name).sort())
})

test('a call works when it is detached from its object, and gives no access to the rest of the bus', async () => {
  const caller = createCaller(untouchableDeps(), identity())
  const { send, troubleshooting } = caller
  const { retry } = troubleshooting
  await expect(send('a', { commandType: 'X', data: 1 })).rejects.toThrow(ForbiddenError)
  await expect(retry('a', ID, {})).rejects.toThrow(ForbiddenError)
  expect(Reflect.ownKeys(caller).sort()).toEqual(['allows', 'demand', 'identity'])
  expect(Reflect.ownKeys(troubleshooting)).toEqual([])
})

test('permissions are those of all roles together; USER alone has none', () => {
  const allowed = (names: Identity['roles']) =>
    permissions.filter(permission => roleAuthorization.allows(identity({ roles: names }), permission))
  const carried = Object.fromEntries(roles.map(role => [role, allowed([role])]))
  const ofCommands = ['read', 'send', 'operate', 'audit']
  expect(
    Object.fromEntries(
      Object.entries(carried).map(([role, names]) => [role, names.filter(name => ofCommands.includes(name))]),
    ),
  ).toEqual({
    SENDER: ['read', 'send'],
    OPERATOR: ['read', 'operate', 'audit'],
    AUDITOR: ['read', 'audit'],
    ADMIN: ['read', 'send', 'operate', 'audit'],
    CUSTOMER_ADMIN: ['read'],
    BUBBLE_ADMIN: ['read'],
    USER: [],
  })
  expect(allowed([])).toEqual([])
  expect(allowed(['SENDER', 'USER', 'AUDITOR'])).toEqual(expect.arrayContaining(['read', 'send', 'audit']))
})

describe('a caller of a tenant', () => {
  test('sees and touches its own commands only', async () => {
    const test = await createTestBus()
    const { bus } = test
    const [own, other] = [bus.as(identity({ tenant: 't1', subject: 'joe' })), bus.as(identity({ tenant: 't2' }))]
    const { commandId } = await own.send('a', { commandType: 'X', data: 1 })
    const stuck = await parked(test, 'b', {}, { tenantId: 't1' })
    expect(await own.getCommand('a', commandId)).toMatchObject({ tenantId: 't1' })
    expect((await bus.getAuditTrail('a', commandId)).map(({ actor }) => actor)).toEqual(['joe'])
    await expect(other.getCommand('a', commandId)).rejects.toThrow(CommandNotFoundError)
    await expect(other.cancel('a', commandId)).rejects.toThrow(CommandNotFoundError)
    expect(await other.auditTrail('a', commandId)).toEqual([])
    expect((await other.queryCommands({})).items).toEqual([])
    expect(await other.troubleshooting.list({})).toEqual({ items: [], nextCursor: null, total: 0 })
    expect(await other.troubleshooting.groups({})).toEqual([])
    const { troubleshooting } = other
    await expect(troubleshooting.retry('b', stuck, {})).rejects.toThrow(CommandNotFoundError)
    await expect(troubleshooting.cancel('b', stuck, { reason: 'x' })).rejects.toThrow(CommandNotFoundError)
    await expect(troubleshooting.complete('b', stuck, {})).rejects.toThrow(CommandNotFoundError)
    expect(await auditNames(bus, 'b', stuck)).toHaveLength(3)
    await own.troubleshooting.complete('b', stuck, {})
    await own.cancel('a', commandId)
  })

  test('cannot name another tenant or another actor in its options', async () => {
    const test = await createTestBus()
    const { bus } = test
    const stuck = await parked(test, 'b', {}, { tenantId: 't1' })
    const eve = bus.as(identity({ tenant: 't2', subject: 'eve' }))
    const smuggled = { tenantId: 't1', operator: 'jane', actor: 'jane', ownerId: undefined, reason: 'x' }
    await expect(eve.troubleshooting.retry('b', stuck, smuggled as object)).rejects.toThrow(CommandNotFoundError)
    await expect(eve.troubleshooting.cancel('b', stuck, smuggled)).rejects.toThrow(CommandNotFoundError)
    await expect(eve.troubleshooting.complete('b', stuck, smuggled as object)).rejects.toThrow(CommandNotFoundError)
    await expect(eve.cancel('b', stuck, smuggled)).rejects.toThrow(CommandNotFoundError)
    expect((await eve.queryCommands(smuggled as object)).items).toEqual([])
    expect((await eve.troubleshooting.list(smuggled as object)).items).toEqual([])
    const { commandId } = await eve.send('b', { commandType: 'X', data: 1, ...smuggled } as never)
    expect(await bus.getCommand('b', commandId)).toMatchObject({ tenantId: 't2' })
    expect((await bus.getAuditTrail('b', commandId)).map(({ actor }) => actor)).toEqual(['eve'])
  })

  test('without a tenant cannot name an owner, a tenant or a parent either', async () => {
    const { bus } = await createTestBus()
    const mallory = bus.as(identity({ tenant: null, subject: 'mallory' }))
    const smuggled = { ownerId: 'ada', tenantId: 't1', parentCommandId: ID, retryCount: 3, actor: 'jane' }
    const { commandId } = await mallory.send('b', { commandType: 'X', data: 1, ...smuggled } as never)
    const own = { ownerId: null, tenantId: null, parentCommandId: null, retryCount: 0 }
    expect(await bus.getCommand('b', commandId)).toMatchObject(own)
    const batch = [{ commandType: 'X', data: 1, ...smuggled }]
    const [sent] = await mallory.sendBatch('b', batch as never)
    expect(await bus.getCommand('b', sent?.commandId ?? '')).toMatchObject(own)
  })

  test('never changes a command of another tenant, however often it tries', async () => {
    const test = await createTestBus()
    const { bus } = test
    const eve = bus.as(identity({ tenant: 't2', subject: 'eve' }))
    let over = false
    let tries = 0
    const attack = async () => {
      while (!over) {
        const outcomes = await Promise.allSettled([
          eve.cancel('a', ID),
          eve.troubleshooting.retry('a', ID, {}),
          eve.troubleshooting.complete('a', ID, {}),
          eve.troubleshooting.cancel('a', ID, { reason: 'x' }),
        ])
        for (const outcome of outcomes) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(CommandNotFoundError) })
        }
        tries++
      }
    }
    const attacks = Promise.all([attack(), attack(), attack()])
    await parked(test, 'a', {}, { commandId: ID, tenantId: 't1' })
    await bus.as(identity({ tenant: 't1', subject: 'joe' })).troubleshooting.retry('a', ID, {})
    over = true
    await attacks
    expect(tries).toBeGreaterThan(0)
    const trail = await bus.getAuditTrail('a', ID)
    expect(trail.filter(({ actor }) => actor === 'eve')).toEqual([])
    expect(trail.at(-1)).toMatchObject({ eventType: 'OPERATOR_RETRY', actor: 'joe' })
  })
})

describe("the check of a command's tenant", () => {
  const sentFor = (tenantId: string) => {
    const append = sending('a', ID)
    const events = append.events.map(({ event, ...rest }) => ({
      ...rest,
      event: { ...event, tenantId } as CommandEvent,
    }))
    return { ...append, events }
  }

  /** Makes the read tables unreadable: decisions can use only the log. */
  const callerOn = (store: EventStore<CommandEvent>, tenant: string) => {
    const cancel = cancelCommand({ clock: systemClock, transact: createTransactCommands(store, uuidIds) })
    return createCaller(
      { ...untouchableDeps(), authorization: roleAuthorization, bus: { cancel } as BusCalls },
      identity({ tenant }),
    )
  }

  test('uses the state that is decided on, in one read of the stream', async () => {
    const { store } = createMemoryEventStore<CommandEvent>()
    await store.append([sentFor('t1')])
    let reads = 0
    const counted: EventStore<CommandEvent> = {
      ...store,
      readStreams: (...given) => {
        reads++
        return store.readStreams(...given)
      },
    }
    await expect(callerOn(counted, 't2').cancel('a', ID)).rejects.toThrow(CommandNotFoundError)
    expect(reads).toBe(1)
    expect(await callerOn(counted, 't1').cancel('a', ID)).toEqual({ commandId: ID, status: 'CANCELED' })
    expect(reads).toBe(2)
  })

  test('runs again on every state that is loaded after a conflict', async () => {
    const { store } = createMemoryEventStore<CommandEvent>()
    // the first read shows the caller's own stream; at the append it is another's
    const forged = createMemoryEventStore<CommandEvent>().store
    await forged.append([sentFor('t2')])
    await store.append([sentFor('t1')])
    await store.append([
      {
        ...sentFor('t1'),
        expected: 'any',
        events: sentFor('t1').events.map(event => ({ ...event, id: uuidIds.next() })),
      },
    ])
    let reads = 0
    const racing: EventStore<CommandEvent> = {
      ...store,
      readStreams: (...given) => (reads++ === 0 ? forged : store).readStreams(...given),
    }
    const before = (await store.readStream(`command-a-${ID}`)).length
    await expect(callerOn(racing, 't2').cancel('a', ID)).rejects.toThrow(CommandNotFoundError)
    expect(reads).toBe(2)
    expect(await store.readStream(`command-a-${ID}`)).toHaveLength(before)
  })
})

test('G6: a read ends when its signal is aborted, on the server too', async () => {
  const { bus, pool, until } = await createTestBus()
  await bus.ready()
  const lock = await pool.connect()
  await lock.query('begin; lock table command_bus_command in access exclusive mode')
  const waiting = async () => {
    const { rowCount } = await pool.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    return rowCount
  }
  const end = new AbortController()
  const identity = { subject: 'jane@example.com', tenant: null, roles: ['ADMIN'] } as const
  const reading = bus.as(identity, { signal: end.signal }).queryCommands({})
  const ended = expect(reading).rejects.toThrow('nobody waits for it')
  await until(waiting, count => count === 1)
  end.abort(new Error('nobody waits for it'))
  await ended
  await until(waiting, count => count === 0)
  await lock.query('rollback')
  lock.release()
  // and a call after that does not begin
  await expect(bus.as(identity, { signal: end.signal }).queryCommands({})).rejects.toThrow('nobody waits for it')
  expect((await bus.as(identity, { signal: new AbortController().signal }).queryCommands({})).items).toEqual([])
})

test.each([
  ['a tenant that was left out', { tenant: undefined }, 'tenant'],
  ['a blank tenant', { tenant: '' }, 'tenant'],
  ['a tenant that is a list', { tenant: ['t1'] }, 'tenant'],
  ['a tenant that is a number', { tenant: 7 }, 'tenant'],
  ['a tenant with a NUL', { tenant: 't\u00001' }, 'tenant'],
  ['no subject', { subject: undefined }, 'subject'],
  ['a blank subject', { subject: ' ' }, 'subject'],
  ['roles that are a text', { roles: 'NOT_ADMIN' }, 'roles'],
])('G3: an identity without a valid subject, tenant or list of roles is refused: %s', async (_, part, field) => {
  const { bus } = await createTestBus()
  await bus.send('payments', 'Charge', {}, { tenantId: 't1' })
  const strange = { ...identity({ tenant: 't2' }), ...part } as Identity
  await expect(async () => bus.as(strange).queryCommands({})).rejects.toMatchObject({ code: 'INVALID_REQUEST', field })
})

test('G3: later changes of the identity object do not change what its caller may do', async () => {
  const { bus } = await createTestBus()
  const roles: Identity['roles'][number][] = ['SENDER']
  const caller = bus.as(identity({ tenant: 't2', roles }))
  roles.push('OPERATOR')
  expect(caller.allows('operate')).toBe(false)
  await expect(caller.replies.undelivered()).rejects.toThrow(ForbiddenError)
})
