import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { busCodec } from '../../../src/infrastructure/codec/workflow-codec.ts'
import { assertLogIsHere } from '../../../src/infrastructure/eventstoredb/mirror/whose-log.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { until } from '../../support/bus.ts'
import { openLogBus, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { bytesOf } from '../../support/eventstoredb/wire.ts'
import { createCommandStore, sending } from '../../support/lives/command-store.ts'

const charge = { commandType: 'Charge', data: {}, replyTo: 'replies' }
const rows = 'select command_id from command_bus_command'

describe('an event that cannot be applied stops the projection, with its stream and revision, and nothing else', () => {
  const poison = { type: 'Unheard', contentType: 'application/json', data: bytesOf('{}'), metadata: bytesOf('{}') }

  test('an unreadable event: those before it are applied, and sending goes on', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const [commandId, later] = [randomUUID(), randomUUID()]
    await bus.send('payments', { ...charge, commandId })
    parts.double.log.append(`command-payments-${commandId}`, 0, [{ ...poison, id: randomUUID() }])
    bus.catchUp.start()
    const health = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(health.fault).toMatchObject({ stream: `command-payments-${commandId}`, revision: 1 })
    expect(health.status).toBe('critical')
    expect(health.reasons.join()).toMatch(/revision 1 of 'command-payments-.*Unheard/)
    expect(await bus.reader.get('payments', commandId)).toMatchObject({ status: 'PENDING' })
    expect(await bus.send('payments', { ...charge, commandId: later })).toMatchObject({ outcome: 'accepted' })
    const awaited = { stream: `command-payments-${later}`, revision: 0 }
    expect(await bus.catchUp.waitFor(awaited, { timeoutMs: 100 })).toEqual({ outcome: 'late' })
  })

  test('resumed after its cause was repaired, the projection goes on where it stopped', async () => {
    const parts = await openParts()
    let isBroken = true
    const codec: typeof busCodec = {
      ...busCodec,
      decode: stored => busCodec.decode(isBroken ? { ...stored, type: 'Unheard' } : stored),
    }
    const bus = openLogBus(parts, { codec })
    const commandId = randomUUID()
    await bus.send('payments', { ...charge, commandId })
    bus.catchUp.start()
    await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    isBroken = false
    bus.catchUp.resume()
    const awaited = { stream: `command-payments-${commandId}`, revision: 0 }
    expect(await bus.catchUp.waitFor(awaited)).toMatchObject({ outcome: 'dispatched' })
    expect(bus.catchUp.health()).toMatchObject({ status: 'healthy', fault: null })
  })

  test('an event that PostgreSQL refuses, in the middle of many', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const appends = Array.from({ length: 21 }, () => sending('payments'))
    const bad = appends[13] as (typeof appends)[0]
    for (const append of appends) {
      const [first] = append.events as [(typeof append.events)[0]]
      const event = append === bad ? { ...first.event, correlationId: 'a\u0000b' } : first.event
      await bus.store.append([{ ...append, events: [{ ...first, event }] }])
    }
    bus.catchUp.start()
    const { fault } = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(fault).toMatchObject({ stream: bad.stream, revision: 0 })
    expect(await rowsOf(parts.database.pool, rows)).toHaveLength(13)
  })

  test('another program that writes to the mirror', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const commandId = randomUUID()
    await createQueueCatalog(parts.database.pool).ensure(new Set(['payments__commands']))
    await createCommandStore(parts.database.pool).append([sending('payments', commandId)])
    await bus.send('payments', { ...charge, commandId })
    bus.catchUp.start()
    const { fault } = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(fault?.message).toMatch(/another event/)
  })
})

describe('the store to which a database belongs', () => {
  test('a database that mirrors EventStoreDB is refused as a log, and goes on as a mirror', async () => {
    const parts = await openParts()
    const { pool } = parts.database
    await expect(assertLogIsHere(pool)).resolves.toBeUndefined()
    const bus = openLogBus(parts)
    await bus.begin()
    await bus.begin()
    await bus.send('payments', charge)
    await until(
      async () => bus.catchUp.health().applied,
      applied => applied === 1,
    )
    await expect(assertLogIsHere(pool)).rejects.toThrow(/set EVENTSTORE_URL/)
    await bus.close()
    await expect(openLogBus(parts).begin()).resolves.toBeUndefined()
  })

  test('a database with its own log is refused as a mirror', async () => {
    const parts = await openParts()
    await createQueueCatalog(parts.database.pool).ensure(new Set(['payments__commands']))
    await createCommandStore(parts.database.pool).append([sending('payments')])
    const bus = openLogBus(parts)
    await expect(bus.begin()).rejects.toThrow(/a log of its own/)
    expect(bus.catchUp.health().state).toBe('stopped')
  })
})
