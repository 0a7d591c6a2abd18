import { describe, expect, test } from 'vitest'
import { sharedTestApi } from '../../support/http.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'
import { footprint } from '../server/footprint.ts'

const shared = sharedTestApi()

const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
  shared().request('POST', `/domains/payments/commands${path}`, {
    token: await shared().token(['SENDER']),
    body,
    headers,
  })

describe('a command is refused, and nothing is sent', () => {
  const good = { commandType: 'Charge', data: {} }
  const nul = 'a\u0000b'
  const refused: readonly (readonly [why: string, body: object, path: string])[] = [
    ['without a type', { data: 1 }, 'commandType'],
    ['without data', { commandType: 'Charge' }, 'data'],
    ['with a type that is not a text', { ...good, commandType: 5 }, 'commandType'],
    ['with a blank type', { ...good, commandType: ' ' }, 'commandType'],
    ['with a type that is too long', { ...good, commandType: 'x'.repeat(129) }, 'commandType'],
    ['with a type that holds a NUL', { ...good, commandType: nul }, 'commandType'],
    ['with an id that is none', { ...good, commandId: 'x' }, 'commandId'],
    ['with an id that is null', { ...good, commandId: null }, 'commandId'],
    ['with no attempts', { ...good, maxAttempts: 0 }, 'maxAttempts'],
    ['with too many attempts', { ...good, maxAttempts: 101 }, 'maxAttempts'],
    ['with half an attempt', { ...good, maxAttempts: 1.5 }, 'maxAttempts'],
    ['with attempts as text', { ...good, maxAttempts: '3' }, 'maxAttempts'],
    ['with an empty backoff', { ...good, backoffSeconds: [] }, 'backoffSeconds'],
    ['with a backoff that is not a list', { ...good, backoffSeconds: 5 }, 'backoffSeconds'],
    ['with a wait before now', { ...good, backoffSeconds: [1, -1] }, 'backoffSeconds[1]'],
    ['with a wait of years', { ...good, backoffSeconds: [1e9] }, 'backoffSeconds[0]'],
    ['with a wait that is not a number', { ...good, backoffSeconds: ['1'] }, 'backoffSeconds[0]'],
    ['with more waits than attempts can be', { ...good, backoffSeconds: Array(101).fill(1) }, 'backoffSeconds'],
    ['with a queue that is none', { ...good, replyTo: 'Shop Replies' }, 'replyTo'],
    ['with a queue that is too long', { ...good, replyTo: 'q'.repeat(48) }, 'replyTo'],
    ['with a blank correlation id', { ...good, correlationId: '' }, 'correlationId'],
    ['with a correlation id that holds a NUL', { ...good, correlationId: nul }, 'correlationId'],
    ['with a correlation id that is too long', { ...good, correlationId: 'x'.repeat(129) }, 'correlationId'],
    ['with a blank causation id', { ...good, causationId: ' ' }, 'causationId'],
    ['with a causation id that is half a pair', { ...good, causationId: '\ud800' }, 'causationId'],
    ['with data that holds a NUL', { ...good, data: { a: [nul] } }, 'data'],
    ['with data that has a NUL in a name', { ...good, data: { [nul]: 1 } }, 'data'],
    ['with data that holds half a pair', { ...good, data: '\udc00' }, 'data'],
    ['on behalf of somebody else', { ...good, actor: 'eve' }, 'actor'],
    ['for a tenant of its own choice', { ...good, tenantId: 't2' }, 'tenantId'],
    ['for an owner of its own choice', { ...good, ownerId: 'eve' }, 'ownerId'],
  ]
  test.each(refused)('%s', async (_, body, path) => {
    const before = await footprint(shared())
    expectFaults(await post('', body), path)
    expectFaults(await post('/batch', { commands: [good, body] }), `commands[1].${path}`)
    expect(await footprint(shared())).toEqual(before)
  })
})

test('a refusal says what is missing, what is wrong and what is valid', async () => {
  const token = await shared().token(['ADMIN'])
  expectProblem(
    await post('', { commandType: 5 }),
    400,
    'INVALID_REQUEST',
    'commandType: expected string; data: missing; expected any JSON value',
  )
  const action = await shared().request('POST', '/troubleshooting/actions', { token, body: { action: 'kill' } })
  expectProblem(action, 400, 'INVALID_REQUEST', 'expected one of retry, cancel, complete')
})

describe('a body is refused, and nothing is sent', () => {
  const around = (data: string) => `{"commandType":"Charge","data":${data}}`

  test.each([
    ['101 levels deep', '['.repeat(101) + ']'.repeat(101)],
    ['absurdly deep', '['.repeat(400_000) + ']'.repeat(400_000)],
    ['absurdly deep in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['with a number that no computer holds', '1e999'],
  ])('%s', async (_, data) => {
    const before = await footprint(shared())
    expectFaults(await post('', around(data)), 'data')
    expectFaults(await post('/batch', `{"commands":[${around(data)}]}`), 'commands[0].data')
    expect(await footprint(shared())).toEqual(before)
  })

  test('with all its faults at once, 20 at most', async () => {
    expectFaults(await post('', { maxAttempts: 0, sender: 'x' }), 'sender', 'commandType', 'data', 'maxAttempts')
    const many = await post('/batch', { commands: Array.from({ length: 10_000 }, () => ({})) })
    expectProblem(many, 400, 'INVALID_REQUEST')
    expect(many.body.errors).toHaveLength(20)
    expect(JSON.stringify(many.body).length).toBeLessThan(10_000)
  })

  test.each([
    ['a byte that is not UTF-8', [0xff]],
    ['half a character', [0xe2, 0x82]],
    ['half a surrogate pair in UTF-8', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
  ])('that has %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"commandType":"Charge","data":"'), Buffer.from(bytes), Buffer.from('"}')])
    const response = await fetch(`${shared().url}/api/v1/domains/payments/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await shared().token(['SENDER'])}`, 'content-type': 'application/json' },
      body,
    })
    const answer = { status: response.status, headers: response.headers, body: await response.json() }
    expectProblem(answer, 400, 'INVALID_REQUEST', 'UTF-8')
  })

  const MIB = 1_048_576
  /** A body of exactly this many bytes. */
  const bodyOf = (bytes: number) => around(JSON.stringify('x'.repeat(bytes - around('""').length)))

  test('above 1 MiB by one byte; with exactly 1 MiB it is sent', async () => {
    expectProblem(await post('', bodyOf(MIB + 1)), 413, 'PAYLOAD_TOO_LARGE', 'at most 1 MiB')
    expect((await post('', bodyOf(MIB))).status).toBe(202)
  })

  test('above 1 MiB on the other routes that take a body', async () => {
    const token = await shared().token(['ADMIN'])
    const body = JSON.stringify({ reason: 'x'.repeat(MIB) })
    for (const action of ['retry', 'cancel', 'complete']) {
      const path = `/domains/payments/commands/00000000-0000-4000-8000-000000000000/${action}`
      expectProblem(await shared().request('POST', path, { token, body }), 413, 'PAYLOAD_TOO_LARGE')
    }
  })

  test('above 16 MiB in a batch, in which each command may have 1 MiB of data', async () => {
    const command = bodyOf(MIB)
    const batch = (count: number) => `{"commands":[${Array(count).fill(command).join(',')}]}`
    expectProblem(await post('/batch', batch(16)), 413, 'PAYLOAD_TOO_LARGE', 'at most 16 MiB')
    const sent = await post('/batch', batch(3))
    expect([sent.status, sent.body.results.length]).toEqual([202, 3])
    const large = { commandType: 'Charge', data: 'x'.repeat(MIB + 1) }
    expectFaults(await post('/batch', { commands: [large] }), 'commands[0].data')
  })

  test('of an undeclared size, once it is too large', async () => {
    const chunk = new TextEncoder().encode(' '.repeat(65_536))
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        sent += chunk.length
        if (sent > 256 * MIB) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const request = {
      method: 'POST',
      headers: { authorization: `Bearer ${await shared().token(['SENDER'])}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    }
    // the connection is closed at once: the client gets 413, or a closed connection
    const status = await fetch(`${shared().url}/api/v1/domains/payments/commands`, request as RequestInit).then(
      response => response.status,
      (error: Error) => error.name,
    )
    expect([413, 'TypeError']).toContain(status)
    expect(sent).toBeLessThan(64 * MIB)
  })
})
