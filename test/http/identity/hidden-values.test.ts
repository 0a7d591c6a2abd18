import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import * as t from 'io-ts'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { hidingValuesOf } from '../../../src/application/sensitive/hide-values.ts'
import {
  BusinessRuleError,
  defineHandler,
  ForbiddenError,
  type Handler,
  type HandlerContext,
  type Identity,
  type Json,
  PermanentCommandError,
  type Role,
} from '../../../src/index.ts'
import { createTracing } from '../../../src/infrastructure/telemetry/tracing.ts'
import { createTestBus } from '../../support/bus.ts'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { addressOf, routesWithId } from '../contract/table.ts'

const CARD = 'planted-4111111111111111'
const NUMBER = 4_111_111_111_111_111
const KEY = 'planted-key\nof "several" lines/and more'
const PLANTED = [CARD, String(NUMBER), 'planted-key', 'several']
const EVERYBODY_ELSE: readonly Role[] = ['SENDER', 'OPERATOR', 'AUDITOR', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN', 'USER']

const payload = (how: string) => ({ how, card: { number: CARD, digits: NUMBER, codes: [KEY] }, amount: 5 })
type Payload = ReturnType<typeof payload>

/** How handlers give away what they got; each is a command of its own. */
const failures: { readonly [how: string]: (data: Payload) => never } = {
  message: ({ card }) => {
    throw new Error(`card ${card.number} (${card.digits}) is refused: ${card.codes[0]}`)
  },
  json: data => {
    throw new PermanentCommandError('REFUSED', JSON.stringify(data))
  },
  business: ({ card }) => {
    throw new BusinessRuleError('REFUSED', `the bank refuses ${card.number}`, {
      asked: card.number,
      [card.number]: [card.digits, { code: `key ${card.codes[0]}` }],
    })
  },
  code: ({ card }) => {
    throw Object.assign(new Error('no'), { code: `E_${card.digits}` })
  },
  cause: ({ card }) => {
    const cause = new AggregateError([new Error(`a ${card.codes[0]}`), new Error(`b ${card.digits}`)], card.number)
    throw new Error('it failed', { cause: new Error(`deeper ${card.number}`, { cause }) })
  },
  // the beginnings of values that are cut: at 500 characters, at 10,000, and where looking ends
  cut500: ({ card }) => {
    throw new Error('x', { cause: new Error(`${'y'.repeat(488)}${card.number}`) })
  },
  cut10000: ({ card }) => {
    throw new Error(`${'y'.repeat(9_988)}${card.number}`)
  },
  cutLast: ({ card }) => {
    throw new Error(`${`${card.number} `.repeat(3_000)}`)
  },
  url: ({ card }) => {
    throw new Error(`GET /keys/${encodeURIComponent(card.codes[0] as string)} answered 500`)
  },
  thrown: ({ card }) => {
    throw { message: card.number, nothing: 'an error' }
  },
  text: ({ card }) => {
    throw `${card.digits}`
  },
}

const exporter = new InMemorySpanExporter()
afterEach(() => {
  trace.disable()
  exporter.reset()
})

test('O10: values of sensitive members stand in no error: not in the log, replies, spans, logs, or any answer', {
  timeout: 60_000,
}, async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  const logged: string[] = []
  const api = await createTestApi(
    {},
    {
      log: pino({ level: 'trace' }, { write: line => void logged.push(line) }),
      telemetry: createTracing(),
      handlers: { payments: { '*': { rehearsable: true, handle: data => fail(data as never) } } },
    },
  )
  const { bus, pool, until } = api
  const fail = (data: Payload): never => (failures[data.how] as (data: Payload) => never)(data)
  await bus.sensitive.add({ domain: 'payments', commandType: '*', path: 'card.*' })
  const refusing = defineHandler({
    payload: new t.Type<Payload, Payload, unknown>(
      'never',
      (_): _ is Payload => false,
      (given, context) => t.failure(given, context, `not ${(given as Payload).card.number}`),
      t.identity,
    ),
    handle: () => {},
  })
  const committing = defineHandler({
    transactional: true,
    handle: async (data: Payload, { client }: HandlerContext<Payload>) => {
      await client.query('create table refused (card text)')
      await client.query(`create function refuse() returns trigger language plpgsql as $$
          begin raise exception 'card % is there already', new.card; end $$`)
      await client.query(`create constraint trigger refuse after insert on refused deferrable initially deferred
          for each row execute function refuse()`)
      await client.query('insert into refused values ($1)', [data.card.number])
    },
  } as never)
  await api.work({
    domain: 'payments',
    handlers: { Charge: (data => fail(data as never)) as Handler, Check: refusing, Commit: committing },
  })
  const ids: string[] = []
  for (const how of Object.keys(failures)) {
    ids.push((await bus.send('payments', 'Charge', payload(how), { replyTo: 'answers', maxAttempts: 1 })).commandId)
  }
  for (const type of ['Check', 'Commit']) {
    const { commandId } = await bus.send('payments', type, payload(type), { replyTo: 'answers', maxAttempts: 1 })
    ids.push(commandId)
  }
  for (const id of ids) {
    const found = await until(
      () => bus.getCommand('payments', id),
      command => ['FAILED', 'IN_TROUBLESHOOTING_QUEUE'].includes(command?.status ?? ''),
    )
    expect([id, found?.lastErrorMsg]).toEqual([id, expect.not.stringMatching(/planted/)])
  }
  const message = (how: string) =>
    bus.getCommand('payments', ids[Object.keys(failures).indexOf(how)] as string).then(found => found?.lastErrorMsg)
  expect(await message('message')).toBe('card ••• (•••) is refused: •••')
  expect(await message('url')).toBe('GET /keys/••• answered 500')
  expect((await bus.getCommand('payments', ids.at(-2) as string))?.lastErrorMsg).toBe(
    'the payload does not fit: not •••',
  )
  expect((await bus.getCommand('payments', ids.at(-1) as string))?.lastErrorMsg).toContain('card ••• is there already')

  // whoever reads the database finds them only in what was sent
  const { rows } = await pool.query(
    `select type, (data - 'data')::text || meta::text as said from command_bus_event
     union all select 'reply', message::text from pgmq.q_answers union all select 'row', c::text from command_bus_command c`,
  )
  const told = (text: string): readonly string[] => PLANTED.filter(one => text.includes(one))
  for (const { type, said } of rows) expect([type, told(said)]).toEqual([type, []])
  const spans = exporter.getFinishedSpans().map(({ status, attributes, events }) => [status, attributes, events])
  expect(spans.length).toBeGreaterThan(ids.length)
  expect(told(JSON.stringify(spans))).toEqual([])
  expect(logged.length).toBeGreaterThan(ids.length)
  expect(told(logged.join('\n'))).toEqual([])

  const token = await api.token(EVERYBODY_ELSE)
  const reads = routesWithId.filter(([, { is }]) => is.startsWith('GET'))
  const asked = ids.flatMap(id => [
    ...reads.map(([, route]) => [...addressOf(route, id), undefined] as const),
    ['POST', `/domains/payments/commands/${id}/rehearse`, {}] as const,
    ['GET', `/domains/payments/commands/${id}/history?from=0&to=1`, undefined] as const,
    ['GET', '/troubleshooting', undefined] as const,
    ['GET', '/troubleshooting/groups', undefined] as const,
    ['GET', '/troubleshooting/history', undefined] as const,
    ['GET', '/failures', undefined] as const,
    ['GET', '/commands', undefined] as const,
    ['GET', `/domains/payments/commands?status=FAILED&message=${NUMBER}`, undefined] as const,
    ['GET', `/troubleshooting?q=${CARD}`, undefined] as const,
  ])
  for (const [method, path, body] of new Map(asked.map(one => [JSON.stringify(one), one])).values()) {
    const answer = await api.request(method, path, { token, body })
    expect([method, path, told(JSON.stringify(answer.body ?? ''))]).toEqual([method, path, []])
    if (/message=|q=/.test(path)) expect(answer.body.items).toEqual([])
  }
})

test('O10: an uncaught error names no sensitive value, neither in the log nor at the commands that ran', async () => {
  const logged: string[] = []
  const { bus, work, until } = await createTestBus({
    log: pino({ level: 'trace' }, { write: line => void logged.push(line) }),
  })
  let begin = (): void => {}
  const began = new Promise<void>(resolve => {
    begin = resolve
  })
  const sensitive = ['card.number']
  const worker = await work({
    domain: 'payments',
    handlers: { Charge: defineHandler({ sensitive, handle: () => new Promise(() => begin()) }) },
  })
  const { commandId } = await bus.send('payments', 'Charge', payload('x'))
  await began
  await worker.crashed(new Error(`cannot read ${CARD}`, { cause: new Error(CARD) }))
  const found = await until(
    () => bus.getCommand('payments', commandId),
    command => command?.lastErrorMsg != null,
  )
  expect(found?.lastErrorMsg).toContain('cannot read •••')
  expect(logged.join('\n')).toContain('an uncaught error ends the process')
  expect(logged.join('\n')).not.toContain(CARD)
})

test('O10: what is hidden in a text: values of at least six characters, whole and as they were written', () => {
  const paths = [{ domain: 'd', commandType: '*', path: 'secret' }]
  const hide = (secret: Json, text: string, isCut?: boolean) =>
    hidingValuesOf({ secret, open: 'openly' }, paths, { domain: 'd', commandType: 'T' })(text, isCut)
  expect(hide('abcdef', 'xabcdefx openly')).toBe('x•••x openly')
  expect(hide('abcde', 'abcde')).toBe('abcde')
  expect(hide({ a: ['abcdef', 'abcdefgh', true, null, 1_234_567] }, 'abcdefghi abcdefg 1234567.')).toBe(
    '•••i •••g •••.',
  )
  expect(hide('abcdefgh', 'so abcdefg', true)).toBe('so •••')
  expect(hide('abcdefgh', 'so abcdefg')).toBe('so abcdefg')
  expect(hide('a"b\nc d', '{"x":"a\\"b\\nc d"} a%22b%0Ac%20d')).toBe('{"x":"•••"} •••')
  expect(hide([], 'abcdef')).toBe('abcdef')
  // a large payload and a text of its values must not hold up the worker
  const many = Array.from({ length: 50_000 }, (_, i) => `DE8937040044${i}`)
  const began = performance.now()
  expect(hide(many, many.slice(0, 4_000).join(' '))).not.toContain('DE89')
  expect(performance.now() - began).toBeLessThan(2_000)
})

const sensitive = { payments: { Charge: ['card.number', 'from.iban'] } }
const operator = (part: Partial<Identity> = {}): Identity => ({
  subject: 'olga@example.com',
  tenant: null,
  roles: ['OPERATOR'],
  ...part,
})

test('O10: a payload that looks like a difference hides its members all the same', async () => {
  const given = await createTestBus({ sensitive })
  const data = { op: 'transfer', path: 'x', from: { iban: CARD }, to: { card: { number: CARD } } }
  const id = await parked(given, 'payments', data)
  const shown = await given.bus.as(operator()).getCommand('payments', id)
  expect(shown.data).toEqual({ op: 'transfer', path: 'x', from: { iban: '•••' }, to: { card: { number: '•••' } } })
})

test('O10: a schedule keeps what its editor cannot see, and only with its type', async () => {
  const { bus } = await createTestBus({ sensitive })
  const secret = { domain: 'payments', commandType: 'Charge', data: payload('x'), everySeconds: 3_600 }
  await bus.schedules.set('hourly', secret)
  const { schedules } = bus.as(operator())
  const { data } = await schedules.get('hourly')
  expect(JSON.stringify(data)).not.toContain(CARD)
  await schedules.set('hourly', { ...secret, data, everySeconds: 60 })
  expect(await bus.schedules.get('hourly')).toMatchObject({ data: payload('x'), everySeconds: 60 })
  for (const other of [{ data: { amount: 1 } }, { data, commandType: 'Other' }, { data, domain: 'shipping' }]) {
    await expect(schedules.set('hourly', { ...secret, ...other })).rejects.toThrow(/needs permission reveal \(ADMIN\)/)
  }
  expect(await bus.schedules.get('hourly')).toMatchObject({ data: payload('x'), commandType: 'Charge' })
  await bus.as(operator({ roles: ['ADMIN'] })).schedules.set('hourly', { ...secret, data: { amount: 1 } })
  await schedules.set('open', { ...secret, commandType: 'Other', data: 1 })
  expect(await schedules.set('open', { ...secret, commandType: 'Other', data: 2 })).toMatchObject({ data: 2 })
})

test('O10: a message of another program is not adopted as a type that would show it', async () => {
  const { bus, pool, work, until } = await createTestBus({ sensitive })
  const worker = await work({ domain: 'payments', handlers: { Charge: () => {} } })
  await pool.query('select pgmq.send($1, $2::jsonb)', ['payments__commands', { type: 'Charge', ...payload('x') }])
  await until(
    () => bus.strangers.list(),
    ({ items }) => items.length === 1,
  )
  await worker.stop()
  const { strangers } = bus.as(operator())
  await expect(strangers.adopt({ commandType: 'Shown' })).rejects.toThrow(/needs permission reveal/)
  await expect(strangers.adopt({ commandType: 'Shown', domain: 'payments' })).rejects.toThrow(ForbiddenError)
  expect(await strangers.adopt({ commandType: 'Shown', domain: 'shipping' })).toMatchObject({ adopted: [] })
  expect((await bus.queryCommands()).items).toEqual([])
})

test('O10: a view hides the value of a search that its reader may not do', async () => {
  const { bus } = await createTestBus({ sensitive })
  await bus.search.declare({ commandType: 'Charge', paths: ['card.number', 'amount'] })
  const admin = bus.as(operator({ subject: 'ann', roles: ['ADMIN'] }))
  await admin.views.set('card', { list: 'commands', filter: { payload: `card.number:${CARD}` }, shared: true })
  await admin.views.set('five', { list: 'commands', filter: { payload: 'amount:5' }, shared: true })
  const { views } = bus.as(operator())
  expect((await views.list()).map(({ filter }) => filter.payload)).toEqual(['card.number:•••', 'amount:5'])
  expect((await views.get('card')).filter).toEqual({ payload: 'card.number:•••' })
  expect((await admin.views.get('card')).filter).toEqual({ payload: `card.number:${CARD}` })
})

test('O10: what a handler marks is declared also when it is registered later', async () => {
  const { bus, until } = await createTestBus()
  const worker = bus.worker({ domain: 'payments', handlers: {} })
  worker.handle('Charge', defineHandler({ sensitive: ['card.number'], handle: () => {} }))
  await worker.start()
  expect(await bus.sensitive.list()).toEqual([{ domain: 'payments', commandType: 'Charge', path: 'card.number' }])
  worker.handle('Refund', defineHandler({ sensitive: ['iban'], handle: () => {} }))
  await until(
    () => bus.sensitive.list(),
    paths => paths.length === 2,
  )
  await worker.stop()
})

test('O10: a refused edit tells nothing of commands of other tenants', async () => {
  const given = await createTestBus({ sensitive })
  const id = await parked(given, 'payments', payload('x'), { tenantId: 'acme' })
  const { troubleshooting } = given.bus.as(operator({ tenant: 'other' }))
  for (const call of [troubleshooting.retry, troubleshooting.rehearse]) {
    await expect(call('payments', id, { data: 1 })).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
  }
  expect(await given.bus.getCommand('payments', id)).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE' })
})
