import { describe, expect, onTestFinished, test } from 'vitest'
import { httpLimits } from '../../../src/infrastructure/http/base-app.ts'
import { sharedTestApi } from '../../support/http.ts'
import { answersIn, type RawConnection, rawConnection, rawRequest } from '../../support/servers/raw-connection.ts'

const limits = { checkMs: 30, keepAliveMs: 400, headerBytes: 8_192 }
/** The limit of a request's head is short here; that of the rest is longer than a test. */
const shared = sharedTestApi({ limits: { ...limits, headersMs: 300, requestMs: 600_000 } })
/** The limit of a whole request is short here. */
const sharedForBodies = sharedTestApi({ limits: { ...limits, headersMs: 600, requestMs: 600 } })

/** Sends one byte at a time, slowly, for as long as the server listens. */
const drop = (connection: RawConnection, bytes: string, everyMs = 20): void => {
  let next = 0
  const timer = setInterval(() => connection.write(bytes[next++ % bytes.length] ?? ''), everyMs)
  const stop = () => clearInterval(timer)
  void connection.closed.then(stop)
  onTestFinished(stop)
}

const expectCutOff = async (connection: RawConnection, status: number, code: string): Promise<void> => {
  const [answer] = answersIn(await connection.closed)
  expect(answer?.status).toBe(status)
  expect(answer?.head).toContain('Content-Type: application/problem+json')
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({
    status,
    code,
    type: 'about:blank',
    detail: expect.any(String),
  })
}

test('the default limits of the service', () => {
  expect(httpLimits).toEqual({
    headersMs: 10_000,
    requestMs: 30_000,
    checkMs: 1_000,
    keepAliveMs: 72_000,
    headerBytes: 16_384,
    bodyBytes: 1_048_576,
  })
})

describe('a client is cut off', () => {
  test('that connects and says nothing', async () => {
    const connection = await rawConnection(shared().url)
    await expectCutOff(connection, 408, 'REQUEST_TIMEOUT')
  })

  test('that sends its head drop by drop', async () => {
    const connection = await rawConnection(shared().url)
    connection.write('GET / HTTP/1.1\r\nhost: a\r\n')
    drop(connection, 'x-slow: 1\r\n')
    await expectCutOff(connection, 408, 'REQUEST_TIMEOUT')
  })

  test('that sends its body drop by drop, and nothing is sent', async () => {
    const connection = await rawConnection(sharedForBodies().url)
    const authorization = `Bearer ${await sharedForBodies().token(['SENDER'])}`
    const body = '{"commandType":"Charge","data":1}'
    const request = rawRequest('POST /api/v1/domains/slow/commands', { authorization, 'content-length': '33' })
    connection.write(request.replace('content-length', 'content-type: application/json\r\ncontent-length'))
    drop(connection, body, 100)
    await expectCutOff(connection, 408, 'REQUEST_TIMEOUT')
    expect((await sharedForBodies().bus.queryCommands({ domain: 'slow' })).items).toEqual([])
  })

  test('that begins a chunk and never ends it', async () => {
    const connection = await rawConnection(sharedForBodies().url)
    const authorization = `Bearer ${await sharedForBodies().token(['SENDER'])}`
    const headers = { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    connection.write(rawRequest('POST /api/v1/domains/slow/commands', headers))
    connection.write('4000\r\n{')
    drop(connection, ' ')
    await expectCutOff(connection, 408, 'REQUEST_TIMEOUT')
  })

  test('that sent a request before, and is slow now', async () => {
    const connection = await rawConnection(shared().url)
    connection.write(rawRequest('GET /health/live'))
    await connection.heard(/alive/)
    connection.write('GET / HTTP/1.1\r\n')
    drop(connection, 'x-slow: 1\r\n')
    expect(answersIn(await connection.closed).map(({ status }) => status)).toEqual([200, 408])
  })

  test.each([
    ['with one header that is too large', { 'x-large': 'x'.repeat(9_000) }],
    [
      'with many headers that are too large together',
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${i}`, 'abcdefghij'])),
    ],
    ['with a token that is too large', { authorization: `Bearer ${'x'.repeat(9_000)}` }],
    ['with a cookie that is too large', { cookie: 'x'.repeat(20_000) }],
  ])('%s', async (_, headers) => {
    const connection = await rawConnection(shared().url)
    connection.write(rawRequest('GET /health/live', headers))
    await expectCutOff(connection, 431, 'HEADERS_TOO_LARGE')
  })

  test('with an address that is too large', async () => {
    const connection = await rawConnection(shared().url)
    connection.write(rawRequest(`GET /${'x'.repeat(9_000)}`))
    await expectCutOff(connection, 431, 'HEADERS_TOO_LARGE')
  })

  test.each([
    ['that speaks no HTTP', 'hello\r\n\r\n'],
    ['that speaks TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['with a header without a name', 'GET / HTTP/1.1\r\nhost: a\r\n: x\r\n\r\n'],
    ['with two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    [
      'with a length and chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['with a length below nothing', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n'],
    [
      'with a chunk that is none',
      'POST /api/v1/commands HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['with a NUL in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\u0000b\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const connection = await rawConnection(shared().url)
    connection.write(bytes)
    const said = await connection.closed
    const last = answersIn(said).at(-1)
    expect([400, 404]).toContain(last?.status)
    expect(last?.head.toLowerCase()).toContain('application/problem+json')
  })
})

test('two hundred slow clients do not keep others from being served', async () => {
  const slow = await Promise.all(Array.from({ length: 200 }, () => rawConnection(shared().url)))
  for (const connection of slow) {
    connection.write('GET / HTTP/1.1\r\nhost: a\r\n')
    drop(connection, 'x-slow: 1\r\n', 50)
  }
  const token = await shared().token(['ADMIN'])
  expect((await shared().request('GET', '/commands', { token })).status).toBe(200)
  for (const connection of slow) expect(answersIn(await connection.closed)[0]?.status).toBe(408)
})

test('a connection is used again and again, and closed once nobody uses it', async () => {
  const connection = await rawConnection(shared().url)
  for (let asked = 1; asked <= 5; asked++) {
    connection.write(rawRequest('GET /health/live'))
    await connection.heard(new RegExp(`(alive[^]*){${asked}}`))
  }
  const said = answersIn(await connection.closed)
  expect(said.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(said[0]?.head).toMatch(/connection: keep-alive/i)
})

test('pipelined requests are answered in their order', async () => {
  const connection = await rawConnection(shared().url)
  connection.write(
    ['/health/live', '/nothing', '/api/v1/commands', '/docs'].map(path => rawRequest(`GET ${path}`)).join(''),
  )
  expect(answersIn(await connection.closed).map(({ status }) => status)).toEqual([200, 404, 401, 200])
})
