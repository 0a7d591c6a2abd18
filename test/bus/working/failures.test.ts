import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import {
  BusinessRuleError,
  type CommandBus,
  defineHandler,
  PermanentCommandError,
  TransientCommandError,
} from '../../../src/index.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { createLogger } from '../../../src/infrastructure/telemetry/logger.ts'
import { testBus } from '../../../src/testing/index.ts'
import { createTestBus } from '../../support/bus.ts'

type Line = Readonly<Record<string, unknown>> & { readonly error?: LoggedError; readonly msg: string }
interface LoggedError {
  readonly type: string
  readonly code: string
  readonly message: string
  readonly stack?: string
  readonly causes?: readonly { kind: string; depth: number; code: string; message: string; stack?: string }[]
}

/** A logger at the default level that collects its lines. */
const logged = () => {
  const lines: Line[] = []
  const log = createLogger({ level: 'info', name: 'test', to: { write: text => void lines.push(JSON.parse(text)) } })
  return { log, about: (commandId: string) => lines.filter(line => line.commandId === commandId) }
}

const lastError = async (bus: CommandBus, commandId: string): Promise<LoggedError> =>
  (await bus.getHistory('payments', commandId)).items
    .flatMap(({ event }) => ('error' in event ? [event.error] : []))
    .at(-1) as never

/** A port without a listener: the one it had has just closed. */
const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const isOver = (command: { readonly status: string } | null): boolean =>
  command?.status === 'FAILED' || command?.status === 'IN_TROUBLESHOOTING_QUEUE'

/** Throws each of these once, at the last attempt; gives what the log and the history say of it, by name. */
const failing = async <Name extends string>(thrown: Readonly<Record<Name, unknown>>) => {
  const { log, about } = logged()
  const bus = testBus({
    log,
    handlers: {
      payments: {
        '*': (_, { command }) => {
          const error = thrown[command.commandType as Name]
          throw typeof error === 'function' ? error() : error
        },
      },
    },
  })
  const ends = {} as Record<Name, { line: Line; lines: readonly Line[]; kept: LoggedError; message: string | null }>
  for (const name of Object.keys(thrown) as Name[]) {
    const { commandId } = await bus.send('payments', name, {}, { maxAttempts: 1, replyTo: 'replies' })
    await bus.runUntilIdle()
    const lines = about(commandId)
    const kept = await lastError(bus, commandId)
    const command = await bus.getCommand('payments', commandId)
    ends[name] = { line: lines[0] as Line, lines, kept, message: command?.lastErrorMsg ?? null }
  }
  return { ends, replies: bus.messagesOn('replies').map(({ body }) => Object(body)) }
}

describe('a failure can be found', () => {
  test('R5: a `fetch` to a closed port is recorded with its address, in row, log and history', async () => {
    const port = await closedPort()
    const refused = await fetch(`http://127.0.0.1:${port}/`).catch(error => error)
    const both = await fetch(`http://localhost:${port}/`).catch(error => error)
    const { ends } = await failing({ One: refused, Both: both })
    for (const { line, lines, kept, message } of Object.values(ends)) {
      expect(message).toMatch(/^fetch failed: connect ECONNREFUSED /)
      expect(message).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
      expect(kept).toMatchObject({ type: 'TRANSIENT', code: 'ECONNREFUSED', message })
      expect(kept.stack).toMatch(/^TypeError: fetch failed\n\s+at /)
      expect(kept.causes?.[0]).toMatchObject({ kind: 'cause', depth: 1, code: 'ECONNREFUSED' })
      expect(lines).toHaveLength(1)
      expect(line).toMatchObject({ level: 'warn', reason: 'EXHAUSTED', attempt: 1, commandType: expect.any(String) })
      expect(line.error).toEqual(kept)
    }
  })

  test('R5: the members of an AggregateError and nested causes are recorded, deepest last, each with its stack', async () => {
    const root = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    const { ends } = await failing({
      Nested: new Error('order not kept', { cause: new Error('row not written', { cause: root }) }),
      Blank: new AggregateError([new Error('no route'), new Error('no name', { cause: root })]),
      Spoken: new AggregateError([new Error('a'), new Error('b'), new Error('c'), new Error('d')], 'all four failed'),
    })
    expect(ends.Nested.message).toBe('order not kept: row not written: the disk is full')
    expect(ends.Nested.kept.causes).toMatchObject([
      { kind: 'cause', depth: 1, code: 'ENOSPC', message: 'row not written: the disk is full' },
      { kind: 'cause', depth: 2, code: 'ENOSPC', message: 'the disk is full' },
    ])
    expect(ends.Nested.kept.causes?.[1]?.stack).toMatch(/^Error: the disk is full\n\s+at .*failures\.test\.ts/)
    expect(ends.Blank.message).toBe('no route; no name: the disk is full')
    expect(ends.Blank.kept.causes).toMatchObject([
      { kind: 'member', depth: 1, message: 'no route' },
      { kind: 'member', depth: 1, message: 'no name: the disk is full' },
      { kind: 'cause', depth: 2, message: 'the disk is full' },
    ])
    expect(ends.Spoken.message).toBe('all four failed: a; b; c (and 1 more)')
    expect(ends.Spoken.kept.causes).toHaveLength(4)
  })

  test('R5: a message is never blank', async () => {
    class Mute extends Error {}
    const { ends } = await failing({
      Mute: new Mute(),
      Coded: Object.assign(new Error(' '), { code: 'E_QUIET' }),
      Empty: new AggregateError([]),
      Silent: new AggregateError([new Error(''), new Mute()]),
      Own: new PermanentCommandError('CARD_DECLINED', ''),
      Text: '',
      Nothing: () => undefined,
      Circle: () => {
        const circle = new Error('')
        circle.cause = circle
        return circle
      },
    })
    expect(Object.fromEntries(Object.entries(ends).map(([name, { message }]) => [name, message]))).toEqual({
      Mute: 'Mute (no message)',
      Coded: 'E_QUIET (no message)',
      Empty: 'AggregateError (no message)',
      Silent: 'Error; Mute',
      Own: 'CARD_DECLINED (no message)',
      Text: 'string (no message)',
      Nothing: 'undefined',
      Circle: 'Error (no message)',
    })
  })

  test('R5: secrets are masked, long texts are cut, circular causes end', async () => {
    const secret = new Error('cannot connect to postgres://app:hunter2@db/app', {
      cause: new Error('password=hunter2'),
    })
    const huge = new Error('x'.repeat(1_000_000))
    const many = new AggregateError(Array.from({ length: 1000 }, (_, i) => new Error(`${i} ${'y'.repeat(10_000)}`)))
    const [a, b] = [new Error('a'), new Error('b')]
    Object.assign(a, { cause: b })
    Object.assign(b, { cause: new AggregateError([a, b], 'c') })
    const hostile = new Error('hostile')
    Object.defineProperty(hostile, 'stack', {
      get: () => {
        throw new Error('never')
      },
    })
    Object.defineProperty(hostile, 'cause', {
      get: () => {
        throw new Error('never')
      },
    })
    const { ends } = await failing({ secret, huge, many, circle: a, hostile })
    for (const { line, kept, message } of Object.values(ends)) {
      expect(JSON.stringify([line, kept, message])).not.toContain('hunter2')
      expect(JSON.stringify(kept).length).toBeLessThan(32_768)
      expect((kept.stack ?? '').length + JSON.stringify(kept.causes ?? []).length).toBeLessThan(10_000)
      expect(line.error).toEqual(kept)
    }
    expect(ends.huge.kept.stack).toMatch(/\n\s+at /)
    expect(ends.many.message).toContain('(and 997 more)')
    expect(ends.circle.kept.causes).toHaveLength(2)
    expect(ends.hostile.kept).not.toHaveProperty('stack')
  })

  test('R5: every outcome except success logs one line with its error', async () => {
    const { log, about } = logged()
    const { bus, work, until } = await createTestBus({ log })
    const cause = new Error('the bank is closed')
    const handlers = {
      Permanent: () => Promise.reject(new PermanentCommandError('CARD', 'declined', null, { cause })),
      Business: () => Promise.reject(new BusinessRuleError('LIMIT', 'too much')),
      Twice: () => Promise.reject(new TransientCommandError('BUSY', 'busy')),
      Misfit: defineHandler({ payload: t.type({ amount: t.number }), handle: () => null }),
      Result: () => 10n,
      Late: defineHandler({ timeoutMs: 30, handle: () => new Promise(() => {}) }),
      Transaction: defineHandler({ transactional: true, handle: (_, { client }) => client.query('select 1/0') }),
    }
    await work({ domain: 'payments', handlers })
    const types = [...Object.keys(handlers), 'Unknown']
    const said: Record<string, unknown> = {}
    for (const type of types) {
      const attempts = type === 'Twice' ? 2 : 1
      const { commandId } = await bus.send('payments', type, {}, { maxAttempts: attempts, backoffSeconds: [0] })
      await until(() => bus.getCommand('payments', commandId), isOver)
      const lines = await until(
        async () => about(commandId),
        found => found.length >= attempts,
      )
      const kept = await lastError(bus, commandId)
      expect(lines.at(-1)?.error, type).toEqual(kept)
      expect(lines, type).toHaveLength(attempts)
      said[type] = lines.map(({ level, msg, error }) => `${level} ${msg}: ${error?.code}`)
      const own = ['Unknown', 'Misfit', 'Result'].includes(type)
      expect(kept.stack === undefined, `${type} has a stack`).toBe(own)
    }
    expect(said).toEqual({
      Permanent: ['warn parked: an operator has to look at the command: CARD'],
      Business: ['info a business rule refused the command: LIMIT'],
      Twice: [
        'info the attempt failed and is tried again: BUSY',
        'warn parked: an operator has to look at the command: BUSY',
      ],
      Misfit: ['warn parked: an operator has to look at the command: INVALID_PAYLOAD'],
      Result: ['warn parked: an operator has to look at the command: INVALID_RESULT'],
      Late: ['warn parked: an operator has to look at the command: TIMEOUT'],
      Transaction: ['warn parked: an operator has to look at the command: 22012'],
      Unknown: ['warn parked: an operator has to look at the command: NO_HANDLER'],
    })
  })

  test('R5: a command whose workers died logs one line, too', async () => {
    const { log, about } = logged()
    const bus = testBus({ log, handlers: { payments: { Charge: () => null } } })
    bus.inject.crashBeforeReport('Charge')
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
    await bus.runUntilSettled()
    const lines = about(commandId)
    expect(lines).toMatchObject([{ level: 'warn', reason: 'LEASE_LOST', error: await lastError(bus, commandId) }])
  })

  test('R5: no stack and no cause is in a reply', async () => {
    const { replies } = await failing({
      Refused: new BusinessRuleError('LIMIT', 'too much', { limit: 5 }, { cause: new Error('rule 7') }),
    })
    expect(replies.map(({ error }) => error)).toEqual([
      { code: 'LIMIT', message: 'too much', class: 'BUSINESS_RULE', details: { limit: 5 } },
    ])
    expect(JSON.stringify(replies)).not.toMatch(/rule 7|failures\.test/)
  })

  test('R5: events from before stacks were recorded can still be read', () => {
    const stored = JSON.parse(
      readFileSync(new URL('../../support/lives/failed-before-stacks.json', import.meta.url), 'utf8'),
    )
    expect(commandCodec.decode(stored)).toMatchObject({
      _tag: 'Right',
      right: { event: { type: 'CommandFailed', error: { type: 'TRANSIENT', code: 'TIMEOUT', message: 'too slow' } } },
    })
  })
})
