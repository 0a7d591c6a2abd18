import pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { type CommandBus, createCommandBus, PermanentCommandError } from '../../../src/index.ts'
import { copyCommand } from '../../support/copies.ts'
import { type Served, serve, sharedTestApi } from '../../support/http.ts'
import { isParked, parked } from '../../support/park.ts'

const MB = 1_000_000
const KIB_4 = 4_096

const shared = sharedTestApi()
const text = (letter: string, length = MB) => ({ text: letter.repeat(length) })
/** JSON of the given number of bytes. */
const ofBytes = (bytes: number) => ({ t: 'x'.repeat(bytes - JSON.stringify({ t: '' }).length) })

const get = async (path: string, from: Served = shared()) =>
  from.request('GET', path, { token: await from.token(['ADMIN', 'USER', 'BUBBLE_ADMIN']) })
const sizeOf = (body: unknown): number => Buffer.byteLength(JSON.stringify(body))

/** Parks a command whose handler throws this. */
const failing = async (domain: string, data: unknown, error: Error): Promise<string> => {
  const { bus, until } = shared()
  const { commandId } = await bus.send(domain, 'Charge', data)
  const worker = bus.worker({ domain, handlers: { '*': () => Promise.reject(error) } })
  await worker.start()
  await until(() => bus.getCommand(domain, commandId), isParked)
  await worker.stop()
  return commandId
}

interface ParkedItem {
  readonly payload: unknown
  readonly payloadBytes?: number
  readonly payloadPreview?: string
}

describe('500 parked commands of 1 MB each', () => {
  let id = ''
  beforeAll(async () => {
    id = await parked(shared(), 'large', text('x'))
    await copyCommand(shared().pool, 'large', id, 499)
  })

  /** A server whose connections count the bytes that PostgreSQL sends, of all its pools: a process must hold these in memory. */
  const counted = async (use: (served: Served, bus: CommandBus) => Promise<void>): Promise<number> => {
    const clients: pg.Client[] = []
    class Counted extends pg.Client {
      constructor(config?: string | pg.ClientConfig) {
        super(config)
        clients.push(this)
      }
    }
    const bytesOf = (client: pg.Client): number =>
      (client as unknown as { connection: { stream: { bytesRead?: number } } }).connection.stream.bytesRead ?? 0
    const pool = new pg.Pool({ connectionString: shared().database.url, Client: Counted })
    const bus = createCommandBus({ pool })
    const served = await serve(bus)
    try {
      await use(served, bus)
      return clients.reduce((sum, client) => sum + bytesOf(client), 0)
    } finally {
      await served.app.close()
      await bus.close()
      await pool.end()
    }
  }

  test('G5: are a list of less than a megabyte, and the database sends no more than that', async () => {
    const sent = await counted(async served => {
      const { status, body } = await get('/troubleshooting?domain=large&limit=500', served)
      expect([status, body.items.length, body.total]).toEqual([200, 500, 500])
      expect(sizeOf(body)).toBeLessThan(MB)
      for (const item of body.items as readonly ParkedItem[]) {
        expect(item.payload).toBe(null)
        expect(item.payloadBytes).toBeGreaterThanOrEqual(MB)
        expect(item.payloadPreview).toMatch(/^\{"text": ?"x{100,}$/)
      }
    })
    expect(sent).toBeGreaterThan(100_000)
    expect(sent).toBeLessThan(2 * MB)
  })

  test('G5: are as small a list in the library, and each payload can be read whole by its id', async () => {
    const { bus } = shared()
    const { items } = await bus.troubleshooting.list({ domain: 'large', limit: 500 })
    expect([items.length, sizeOf(items) < MB]).toEqual([500, true])
    expect((await get(`/domains/large/commands/${id}`)).body.data).toEqual(text('x'))
  })

  test('G5: are as small a list at a past moment', async () => {
    const { body } = await get('/troubleshooting/history?domain=large&limit=30')
    expect([body.items.length, sizeOf(body) < 100_000]).toEqual([30, true])
    expect(body.items[0]).toMatchObject({ payload: null, payloadBytes: JSON.stringify(text('x')).length })
  })

  test('G5: give small samples in a dry run of an action, which reads each command once', async () => {
    const ids = (await shared().bus.troubleshooting.list({ domain: 'large', limit: 20 })).items.map(
      ({ domain, commandId }) => ({ domain, commandId }),
    )
    for (const action of [{ action: 'retry' }, { action: 'complete', resultData: text('r', 20_000) }]) {
      const body = { ...action, ids }
      const sent = await counted(async served => {
        const token = await served.token(['ADMIN'])
        const answer = await served.request('POST', '/troubleshooting/actions/dry-run', { token, body })
        expect([answer.status, answer.body.would, answer.body.samples.length]).toEqual([200, 20, 20])
        expect(sizeOf(answer.body)).toBeLessThan(100_000)
      })
      expect(sent).toBeGreaterThan(20 * MB)
      expect(sent).toBeLessThan(25 * MB)
    }
  })
})

describe('an item of a list', () => {
  test('G5: has a payload of 4 KiB, and none that is one byte larger', async () => {
    const whole = await parked(shared(), 'limits', ofBytes(KIB_4))
    const cut = await parked(shared(), 'limits', ofBytes(KIB_4 + 1))
    const dense = await parked(
      shared(),
      'limits',
      Array.from({ length: 2_047 }, () => 1),
    )
    for (const path of ['/troubleshooting?domain=limits', '/troubleshooting/history?domain=limits']) {
      const { items } = (await get(path)).body
      const of = (id: string) => items.find((item: { commandId: string }) => item.commandId === id)
      expect(of(whole).payload).toEqual(ofBytes(KIB_4))
      expect(of(whole)).not.toHaveProperty('payloadBytes')
      expect(of(dense).payload).toHaveLength(2_047)
      expect(of(cut)).toMatchObject({
        payload: null,
        payloadBytes: KIB_4 + 1,
        payloadPreview: expect.stringMatching(/^\{"t":"x+$/),
      })
    }
  })

  test('G5: has a long error message cut, which the command shows whole', async () => {
    const message = 'ä'.repeat(9_000)
    const id = await failing('messages', null, new PermanentCommandError('LONG', message))
    const paths = [
      '/troubleshooting?domain=messages',
      '/troubleshooting/history?domain=messages',
      '/commands?domain=messages',
    ]
    for (const path of paths) {
      const [item] = (await get(path)).body.items
      expect(item.lastErrorMsg, path).toBe(`${'ä'.repeat(1_000)}... (9000 characters)`)
    }
    const [group] = (await get('/troubleshooting/groups?domain=messages')).body.items
    expect(group.sample).toBe(`${'ä'.repeat(1_000)}... (9000 characters)`)
    const { body } = await get(`/domains/messages/commands/${id}`)
    expect(body.lastErrorMsg).toBe(message)
    const [node] = (await get(`/correlations/${body.correlationId}`)).body.items
    expect(node.lastErrorMsg).toHaveLength('... (9000 characters)'.length + 1_000)
  })

  test('G5: has at most the 500 largest groups, however many types a sender invents', async () => {
    const types = Array.from({ length: 600 }, (_, i) => ({ commandType: `Type${i}`, data: null }))
    const { bus, until } = shared()
    await bus.sendBatch('groups', [...types, { commandType: 'Type599', data: null }])
    const worker = bus.worker({ domain: 'groups', handlers: {} })
    await worker.start()
    await until(
      () => bus.troubleshooting.list({ domain: 'groups', limit: 1 }),
      ({ total }) => total === 601,
    )
    await worker.stop()
    const { items } = (await get('/troubleshooting/groups?domain=groups')).body
    expect(items).toHaveLength(500)
    expect(items[0]).toMatchObject({ commandType: 'Type599', count: 2 })
  })

  test('G5: of operations has no large result, which the operation shows whole', async () => {
    const { bus, until } = shared()
    const owner = { subject: 'jane@example.com', tenant: null }
    const worker = bus.worker({
      domain: 'operations',
      handlers: { '*': data => (data as { parameters: unknown }).parameters },
    })
    await worker.start()
    const start = async (parameters: unknown) => {
      const { id } = await bus.operations.start(owner, { operation_type: 'copy', session_id: 's-1', parameters })
      await until(
        () => bus.operations.get(owner, id),
        ({ status }) => status === 'completed',
      )
      return id
    }
    const [small, large] = [await start(ofBytes(KIB_4)), await start(text('o'))]
    await worker.stop()
    const { items } = (await get('/operations')).body
    expect(items).toMatchObject([
      { id: large, session_id: 's-1', message_id: null, result: null, result_preview: expect.stringContaining('ooo') },
      { id: small, session_id: 's-1', result: ofBytes(KIB_4) },
    ])
    expect(items[0].result_bytes).toBeGreaterThan(MB)
    expect(items[1]).not.toHaveProperty('result_bytes')
    expect((await get(`/operations/${large}`)).body.result).toEqual(text('o'))
  })
})

describe('the history of a command', () => {
  let id = ''
  const history = (query = '') => get(`/domains/edited/commands/${id}/history${query}`)
  beforeAll(async () => {
    const { bus, until } = shared()
    id = await failing('edited', text('a'), new PermanentCommandError('NO', 'no', text('d', 50_000)))
    for (const letter of ['b', 'c', 'd']) {
      await bus.troubleshooting.retry('edited', id, { operator: 'jane', data: { ...text(letter), n: [1, 2, 3] } })
      const worker = bus.worker({
        domain: 'edited',
        handlers: { '*': () => Promise.reject(new PermanentCommandError('NO', 'no', text('d', 50_000))) },
      })
      await worker.start()
      await until(() => bus.getCommand('edited', id), isParked)
      await worker.stop()
    }
    await bus.troubleshooting.complete('edited', id, { operator: 'jane', resultData: text('r', 50_000) })
  })

  test('G5: has the payload only in the state at the end, and in no step', async () => {
    const { status, body } = await history()
    expect(status).toBe(200)
    expect(body.state.data.text).toBe('d'.repeat(MB))
    expect(body.state.result).toEqual(text('r', 50_000))
    expect(sizeOf(body)).toBeLessThan(sizeOf(body.state) + 200_000)
    for (const { state } of body.items) {
      expect(state.data).toBe(null)
      expect(state.dataBytes).toBeGreaterThan(MB)
      expect(state.dataPreview).toHaveLength(200)
    }
    expect(body.items[0].event).toMatchObject({
      type: 'CommandSent',
      data: null,
      dataBytes: JSON.stringify(text('a')).length,
    })
    expect(body.items[0].diff).toContainEqual(
      expect.objectContaining({ op: 'add', path: '/data', from: null, to: null }),
    )
    const edit = body.items.find((step: { event: { type: string } }) => step.event.type === 'OperatorRetried')
    expect(edit.diff).toContainEqual(
      expect.objectContaining({
        op: 'replace',
        path: '/data/text',
        from: null,
        fromBytes: MB + 2,
        to: null,
        toBytes: MB + 2,
      }),
    )
    expect(body.items.at(-1).event).toMatchObject({
      type: 'OperatorCompleted',
      resultData: null,
      resultDataPreview: expect.any(String),
    })
  })

  test("G5: has for any moment the whole payload in its state, and the error's details in the event", async () => {
    const all = (await history()).body.items as {
      revision: number
      event: { type: string; error?: { details: unknown } }
    }[]
    const first = (await history('?at=0')).body
    expect([first.state.data, first.items[0].state.data]).toEqual([text('a'), null])
    const failure = all.find(({ event }) => event.error !== undefined)
    expect(failure?.event.error).toMatchObject({
      code: 'NO',
      message: 'no',
      details: null,
      detailsBytes: expect.any(Number),
    })
    const then = (await history(`?at=${failure?.revision}`)).body
    expect(then.event.error.details).toEqual(text('d', 50_000))
    expect(then.items.at(-1).event.error.details).toBe(null)
  })

  test('G5: compares two moments without their payloads', async () => {
    const { body } = await history('?from=0&to=4')
    expect(body.comparison.from.state).toMatchObject({ data: null, dataBytes: JSON.stringify(text('a')).length })
    expect(body.comparison.diff).toContainEqual(expect.objectContaining({ path: '/data/text', to: null }))
    expect(sizeOf(body)).toBeLessThan(sizeOf(body.state) + 50_000)
  })

  test('G5: counts the differences beyond its limit', async () => {
    const { bus } = shared()
    const many = (n: number) => Array.from({ length: 20_000 }, () => n)
    const other = await failing('differing', many(1), new PermanentCommandError('NO', 'no'))
    await bus.troubleshooting.retry('differing', other, { operator: 'jane', data: many(2) })
    const { body } = await get(`/domains/differing/commands/${other}/history`)
    const { diff, diffOmitted } = body.items.at(-1)
    expect(sizeOf(diff)).toBeLessThan(70_000)
    expect(diff.length + diffOmitted).toBeGreaterThanOrEqual(20_000)
    expect(body.state.data).toHaveLength(20_000)
  })

  test('G5: has bounded details in the audit trail', async () => {
    const { body } = await get(`/domains/edited/commands/${id}/audit`)
    expect(sizeOf(body)).toBeLessThan(50_000)
    const named = (name: string) =>
      body.items.find(({ eventType }: { eventType: string }) => eventType === name).details
    expect(named('OPERATOR_RETRY')).toMatchObject({
      operator: 'jane',
      edited: true,
      diff: null,
      diff_preview: expect.stringContaining('"op": "replace"'),
    })
    expect(named('OPERATOR_COMPLETE')).toMatchObject({ result_data: null, result_data_bytes: expect.any(Number) })
    expect(named('MOVED_TO_TROUBLESHOOTING_QUEUE')).toMatchObject({
      error_message: 'no',
      error_details: null,
      error_details_bytes: expect.any(Number),
      error_stack: expect.stringContaining('no'),
    })
    expect(named('SENT')).toMatchObject({ command_type: 'Charge', max_attempts: 3 })
  })
})

test('G5: a dry run on one command shows large payloads by size and beginning', async () => {
  const id = await parked(shared(), 'dry', text('p'), { replyTo: 'dry__replies' })
  const token = await shared().token(['ADMIN'])
  const act = async (action: string, body: object) =>
    (
      await shared().request('POST', `/domains/dry/commands/${id}/${action}`, {
        token,
        body: { ...body, dryRun: true },
      })
    ).body.dryRun
  const [message] = (await act('retry', {})).messages
  expect(message).toMatchObject({ data: null, dataPreview: expect.stringContaining('ppp') })
  expect(message.dataBytes).toBe(JSON.stringify(text('p')).length)
  const plan = await act('complete', { resultData: text('r', 50_000) })
  expect(plan.replies).toMatchObject([{ body: null, bodyBytes: expect.any(Number) }])
  expect(sizeOf(plan)).toBeLessThan(10_000)
})

test('G5: the history of a run shows large inputs by size and beginning', async () => {
  const { bus } = shared()
  const who = await shared().token(['BUBBLE_ADMIN', 'ADMIN'], { tenant: 't1' })
  const runs = bus.as({ subject: 'jane', tenant: 't1', roles: ['BUBBLE_ADMIN', 'ADMIN'] }).runs
  const { id: templateId } = await runs.createTemplate({ name: 'T', creditsPerRun: 0 })
  const files = Array.from({ length: 20 }, (_, i) => ({ fileName: `${i}.pdf`, input: text('f', 40_000) }))
  const { id } = await runs.initiate({ templateId, files })
  const { status, body } = await shared().request('GET', `/workflow-runs/${id}/history`, { token: who })
  expect(status).toBe(200)
  expect(body.items[0].event).toMatchObject({ files: null, filesPreview: expect.any(String) })
  expect(body.items[0].event.filesBytes).toBeGreaterThan(800_000)
  expect(body.state.files).toHaveLength(20)
  expect(sizeOf(body)).toBeLessThan(50_000)
})
