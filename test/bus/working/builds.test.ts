import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { BusinessRuleError, InvalidInputError, PermanentCommandError } from '../../../src/index.ts'
import { buildOf, versionOf } from '../../../src/infrastructure/worker/announcing/build.ts'
import { createTestBus, logIsSeparate, signal } from '../../support/bus.ts'

describe('the build of a worker', () => {
  test('K4: stands in the events of its attempts, quick and slow ones, successes and failures, and in the audit', async () => {
    const { bus, work, until, pool } = await createTestBus()
    const release = signal()
    await work({
      domain: 'mail',
      build: 'v1.2.3 (abc)',
      workerId: 'w',
      handlers: {
        Quick: async () => 1,
        Slow: async () => release.promise,
        Refuse: async () => Promise.reject(new BusinessRuleError('NO', 'no')),
        Break: async () => Promise.reject(new PermanentCommandError('BROKEN', 'x')),
        Once: async (_, { attempt }) => (attempt === 1 ? Promise.reject(new Error('later')) : 1),
      },
    })
    const expected = {
      Quick: ['CommandSent', 'CommandCompleted v1.2.3 (abc)'],
      Slow: ['CommandSent', 'CommandReceived v1.2.3 (abc)', 'CommandCompleted v1.2.3 (abc)'],
      Refuse: ['CommandSent', 'CommandReceived v1.2.3 (abc)', 'CommandRejectedByBusinessRule v1.2.3 (abc)'],
      Break: ['CommandSent', 'CommandReceived v1.2.3 (abc)', 'CommandMovedToTroubleshooting v1.2.3 (abc)'],
      Unknown: ['CommandSent', 'CommandReceived v1.2.3 (abc)', 'CommandMovedToTroubleshooting v1.2.3 (abc)'],
      Once: [
        'CommandSent',
        'CommandReceived v1.2.3 (abc)',
        'CommandFailed v1.2.3 (abc)',
        'CommandCompleted v1.2.3 (abc)',
      ],
    }
    const ids = new Map<string, string>()
    for (const type of Object.keys(expected))
      ids.set(type, (await bus.send('mail', type, {}, { backoffSeconds: [0.01] })).commandId)
    const slow = ids.get('Slow') as string
    await until(
      () => bus.getCommand('mail', slow),
      found => found?.status === 'IN_PROGRESS',
    )
    release.resolve()
    for (const [type, commandId] of ids) {
      await until(
        () => bus.getCommand('mail', commandId),
        found => !['PENDING', 'IN_PROGRESS'].includes(found?.status ?? ''),
      )
      const { items } = await bus.getHistory('mail', commandId)
      const events = items.map(({ event }) => `${event.type}${'build' in event ? ` ${event.build}` : ''}`)
      expect(events).toEqual(expected[type as keyof typeof expected])
      const audit = await bus.getAuditTrail('mail', commandId)
      const built = audit.filter(({ details }) => (details as { build?: string }).build === 'v1.2.3 (abc)')
      expect(built.map(one => one.eventType)).toEqual(
        audit.map(one => one.eventType).filter(name => name !== 'SENT' && name !== 'RETRY_SCHEDULED'),
      )
      expect(built.every(({ actor }) => actor === 'worker:w')).toBe(true)
    }
    expect(await bus.maintenance.verify()).toEqual([])
    if (!logIsSeparate) expect((await bus.maintenance.verifyLog()).findings).toEqual([])
    await bus.maintenance.rebuild()
    expect(await bus.maintenance.verify()).toEqual([])
    // a worker without one writes none
    expect((await pool.query(`select from command_bus_event where data ? 'build'`)).rowCount).toBe(
      Object.values(expected)
        .flat()
        .filter(text => text.includes('v1')).length,
    )
  })

  test('K4: an attempt that was lost with its worker has no build, as nobody knows who lost it', async () => {
    const { bus, work, until, pool } = await createTestBus()
    const { commandId } = await bus.send('mail', 'Send', {})
    await pool.query('update pgmq.q_mail__commands set read_ct = 1')
    await work({ domain: 'mail', build: 'b', handlers: { Send: async () => 1 } })
    await until(
      () => bus.getCommand('mail', commandId),
      found => found?.status === 'COMPLETED',
    )
    const { items } = await bus.getHistory('mail', commandId)
    expect(items.map(({ event }) => ['build' in event ? event.build : null, 'lost' in event && event.lost])).toEqual([
      [null, false],
      [null, true],
      ['b', false],
    ])
  })

  test('K4: comes from the option, else from COMMANDBUS_BUILD, else from the package of the program', async () => {
    const { bus } = await createTestBus()
    const invalid = (build: unknown) => () => bus.worker({ domain: 'mail', build: build as string })
    for (const [build, why] of [
      ['', /build: must not be blank/],
      ['x'.repeat(101), /build: must have at most 100 characters/],
      [7, /build: must be a text/],
      ['two\nlines', /build: must be one line/],
    ] as const) {
      expect(invalid(build)).toThrow(InvalidInputError)
      expect(invalid(build)).toThrow(why)
    }
    vi.stubEnv('COMMANDBUS_BUILD', 'from-env')
    try {
      expect(buildOf(undefined)).toBe('from-env')
      expect(buildOf('given')).toBe('given')
      vi.stubEnv('COMMANDBUS_BUILD', 'x'.repeat(101))
      expect(invalid(undefined)).toThrow(/COMMANDBUS_BUILD: must have at most 100 characters/)
    } finally {
      vi.unstubAllEnvs()
    }
    const home = await mkdtemp(join(tmpdir(), 'build-'))
    const program = join(home, 'main.js')
    const version = async (content: object) => {
      await writeFile(join(home, 'package.json'), JSON.stringify(content))
      return [versionOf(program), buildOf(undefined, program)]
    }
    expect(await version({ name: 'shop', version: '3.2.1-rc.1' })).toEqual(['3.2.1-rc.1', '3.2.1-rc.1'])
    expect(await version({ name: 'shop' })).toEqual([undefined, undefined])
    expect(await version({ name: 'shop', version: 'two\nlines' })).toEqual([undefined, undefined])
    expect(await version({ name: 'commandbus', version: '1.0.0' })).toEqual([undefined, undefined])
    expect(versionOf(join(home, 'node_modules', 'tool', 'main.js'))).toBeUndefined()
    expect(versionOf(undefined)).toBeUndefined()
    await rm(home, { recursive: true })
  })
})
