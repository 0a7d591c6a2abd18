import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { createLogger, withIds } from '../../src/infrastructure/telemetry/logger.ts'

const logging = (level = 'info') => {
  const lines: string[] = []
  const log = createLogger({ level, name: 'test', to: { write: line => lines.push(line) } })
  return { log, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? '{}') }
}

const URL_SECRET = 'postgres://jane:Zq7hunter2@db.example.com/bus'

test('secrets do not reach the log, wherever they are', () => {
  const { log, text } = logging('trace')
  const error = new Error(`cannot reach ${URL_SECRET}`, { cause: new Error('token=Zq7inner') })
  log.info({}, `connecting to ${URL_SECRET}`)
  log.info(
    { authorization: 'Bearer Zq7abcdefgh', nested: { deep: { clientSecret: 'Zq7deep', note: 'sk-Zq7abcdef' } } },
    'x',
  )
  log.info({ headers: [{ cookie: 'Zq7cookie' }], databaseUrl: 'Zq7url' }, 'x')
  log.error({ err: error }, 'failed')
  log.error(error)
  log.error({ reason: error }, 'under another name')
  log.child({ password: 'Zq7child' }).warn({}, 'from a child')
  withIds(log, { requestId: 'password=Zq7id' }).warn({}, 'with ids')
  expect(text()).not.toContain('Zq7')
  expect(text().match(/\(hidden\)/g)?.length).toBeGreaterThan(10)
})

test('a log line is one line by every definition of line ends, and has no control characters for terminals', () => {
  const { log, text, last } = logging()
  const forged = 'a\u2028{"level":"info"}\u2029b\u0085c\u009b2Jd\u007f\u001b[2Je\nf'
  log.info({ correlationId: forged }, forged)
  withIds(log, { correlationId: forged }).info({}, forged)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end lines somewhere, or are obeyed
  expect(text().replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  expect(text().match(/\n/g)).toHaveLength(2)
  expect(last()).toMatchObject({ correlationId: forged, msg: forged })
})

test('texts without secrets do not change', () => {
  const { log, last } = logging()
  log.info({ domain: 'payments', attempts: 3, at: new Date(0), list: [1, 'two'], none: null }, 'a command was parked')
  expect(last()).toMatchObject({
    level: 'info',
    name: 'test',
    msg: 'a command was parked',
    domain: 'payments',
    attempts: 3,
    at: '1970-01-01T00:00:00.000Z',
    list: [1, 'two'],
    none: null,
    time: expect.stringMatching(/Z$/),
  })
})

test('an error is logged with name, code and message, and with its stack on request', () => {
  const quiet = logging()
  const error = Object.assign(new TypeError('no'), { code: 'E1' })
  quiet.log.error({ err: error }, 'failed')
  expect(quiet.last().err).toEqual({ type: 'TypeError', code: 'E1', message: 'no' })
  const debugging = logging('debug')
  debugging.log.error({ err: error }, 'failed')
  expect(debugging.last().err.stack).toMatch(/^TypeError: no\n/)
})

test('a request and what it causes can be found by their ids', () => {
  const { log, last } = logging()
  withIds(log, { requestId: 'r-1', correlationId: 'c-1' }).info({ more: 1 }, 'x')
  expect(last()).toMatchObject({ requestId: 'r-1', correlationId: 'c-1', more: 1 })
})

test('circular fields do no harm', () => {
  const { log, last } = logging()
  const round: Record<string, unknown> = { name: 'round' }
  round.self = round
  log.info({ round }, 'x')
  expect(last()).toMatchObject({ msg: 'x', round: { name: 'round' } })
})

test('the HTTP server keeps the masks', async () => {
  const { log, text } = logging()
  const app = Fastify({ loggerInstance: log })
  app.get('/', request => {
    request.log.error({ err: new Error(`cannot reach ${URL_SECRET}`) }, `token=${'Zq7request'}`)
    return 'ok'
  })
  await app.inject('/')
  await app.close()
  expect(text()).toContain('cannot reach')
  expect(text()).not.toContain('Zq7')
})
