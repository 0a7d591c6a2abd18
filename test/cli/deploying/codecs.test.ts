import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

/** `K6_PAYLOADS=1000000` shows the row's own size. */
const COUNT = Number(process.env.K6_PAYLOADS ?? 300)

let folder = ''
let module = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codecs-'))
  module = join(folder, 'next.mjs')
  // prices are numbers now, and a customer has a country
  await writeFile(
    module,
    `import t from 'file://${import.meta.dirname}/../../../node_modules/io-ts/lib/index.js'
     import { z } from 'file://${import.meta.dirname}/../../../node_modules/zod/index.js'
     const order = t.type({ customer: t.type({ country: t.string }), items: t.array(t.type({ price: t.number })) })
     const handle = () => { throw new Error('never called') }
     export const handlers = { orders: { Place: { payload: order, handle }, Ship: handle }, stock: { '*': { payload: z.object({ sku: z.string() }), handle } } }`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

const check = ({ database }: Pick<TestBus, 'database'>, ...flags: string[]) =>
  program.run(['codecs', 'check', '--handlers', module, ...flags], { env: { DATABASE_URL: database.url } })

type Order = {
  readonly customer?: { country?: unknown }
  readonly items?: readonly { price: unknown }[]
  readonly sku?: unknown
} | null

/** Page by page: a million of them have no room in memory. */
async function* eventsOf(pool: TestBus['pool']) {
  let last = { stream: '', revision: '0' }
  for (;;) {
    const { rows } = await pool.query(
      `select e.stream, e.revision, e.type, e.data, e.meta from command_bus_event e
       where (e.stream, e.revision) > ($1, $2) and (e.stream like 'command-orders-%' or e.stream like 'command-stock-%')
       order by e.stream, e.revision limit 20000`,
      [last.stream, last.revision],
    )
    if (rows.length === 0) return
    yield* rows
    last = rows.at(-1)
  }
}

/** What the codecs should find, from the log alone: the last payload of each command, checked by hand. */
const folded = async ({ pool }: Pick<TestBus, 'pool'>, since: string): Promise<ReadonlyMap<string, number>> => {
  const commands = new Map<string, { type: string; data: Order; at: string; open: boolean }>()
  for await (const { stream, type, data, meta } of eventsOf(pool)) {
    const before = commands.get(stream)
    if (type === 'CommandSent')
      commands.set(stream, { type: data.commandType, data: data.data, at: meta.at, open: true })
    else if (before !== undefined) {
      if (data.data !== undefined) before.data = data.data
      before.open = ![
        'CommandCompleted',
        'CommandRejectedByBusinessRule',
        'CommandCanceled',
        'OperatorCanceled',
      ].includes(type)
    }
  }
  const found = new Map<string, number>()
  for (const [stream, { type, data, at, open }] of commands) {
    if (!open && at < since) continue
    const faults = new Set<string>()
    if (stream.startsWith('command-stock-') && typeof data?.sku !== 'string') faults.add('stock data.sku')
    if (stream.startsWith('command-orders-') && type === 'Place') {
      if (typeof data?.customer !== 'object' || data.customer === null) faults.add('orders data.customer')
      else if (typeof data.customer.country !== 'string') faults.add('orders data.customer.country')
      for (const { price } of data?.items ?? []) if (typeof price !== 'number') faults.add('orders data.items.*.price')
    }
    for (const fault of faults) found.set(fault, (found.get(fault) ?? 0) + 1)
  }
  return found
}

test('K6: the payloads that new codecs refuse are those that a fold of the log finds, by path and count', async () => {
  const setup = await createTestBus()
  const { bus, pool, work, until } = setup
  const order = (i: number) => ({
    customer: i % 7 === 0 ? null : i % 5 === 0 ? {} : { country: 'NO' },
    items: [{ price: i % 11 === 0 ? '25' : 25 }, { price: i % 3 === 0 && i % 11 === 0 ? null : 1 }],
  })
  for (let i = 0; i < COUNT; i += 10_000) {
    const size = Math.min(10_000, COUNT - i)
    await bus.sendBatch(
      'orders',
      [...Array(size)].map((_, n) => ({ commandType: 'Place', data: order(i + n) })),
    )
  }
  for (const sku of ['a', 5, 7]) await bus.send('stock', 'Count', { sku })
  await bus.send('orders', 'Ship', { any: 'thing' })
  await bus.send('orders', 'Gone', {})
  // some are parked, one of them was edited, and some have ended
  const { commandId: edited } = await bus.send(
    'orders',
    'Place',
    { customer: { country: 5 }, items: [] },
    { priority: 'high' },
  )
  let left = 20
  const worker = await work({
    domain: 'orders',
    concurrency: 1,
    handlers: {
      '*': () => {
        if (left-- % 2 === 0) throw new PermanentCommandError('NO', 'no')
      },
    },
  })
  await until(
    async () => left,
    now => now <= 0,
  )
  await worker.stop()
  const parked = async () => (await bus.getCommand('orders', edited))?.status
  if ((await parked()) === 'IN_TROUBLESHOOTING_QUEUE')
    await bus.troubleshooting.retry('orders', edited, {
      operator: 'jane',
      data: { customer: { country: 'SE' }, items: [{ price: '1' }] },
    })
  const before = await fingerprint(pool)

  const began = performance.now()
  const checked = await check(setup, '--json')
  console.info(`${COUNT} payloads checked in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  expect(checked).toMatchObject({ code: 1, stderr: '' })
  const report = checked.json()
  const faults = report.faults as readonly { domain: string; path: string; payloads: number }[]
  expect(new Map(faults.map(({ domain, path, payloads }) => [`${domain} ${path}`, payloads]))).toEqual(
    await folded(setup, report.since as string),
  )
  expect(report).toMatchObject({
    checked: COUNT + 4,
    withoutHandler: [{ domain: 'orders', commandType: 'Gone', waiting: 1 }],
  })
  expect(await fingerprint(pool)).toEqual(before)

  // of those that have ended, only the ones sent since then
  const since = new Date().toISOString()
  const open = await check(setup, '--json', '--since', since)
  const ofOpen = open.json().faults as typeof faults
  expect(new Map(ofOpen.map(({ domain, path, payloads }) => [`${domain} ${path}`, payloads]))).toEqual(
    await folded(setup, since),
  )
  expect(Number(open.json().checked)).toBeLessThan(COUNT + 4)
  const text = await check(setup, '--domain', 'stock')
  expect(text.stdout).toMatch(
    /^Checked 3 payloads: [\s\S]*Refused: 2, of which 2 wait and 0 are parked\.[\s\S]*2 +2 +0 +stock +Count +data\.sku +Invalid input: expected string/,
  )
})
