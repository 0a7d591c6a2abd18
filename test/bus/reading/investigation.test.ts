import { expect, test } from 'vitest'
import { type CausalNode, treeOf } from '../../../src/application/investigation/causal-tree.ts'
import { type CommandView, PermanentCommandError } from '../../../src/index.ts'
import { createInvestigationQueries } from '../../../src/infrastructure/postgres/reading/investigation.ts'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'

/** A clock that advances by a second at each reading. */
const steppingClock = () => {
  let seconds = 0
  return { now: () => new Date(Date.UTC(2026, 0, 1) + seconds++ * 1000), random: () => 0 }
}

test('the troubleshooting queue at every instant is what the list showed at that time', async () => {
  const clock = steppingClock()
  const setup = await createTestBus({ clock })
  const { bus } = setup
  const seen: { at: string; items: readonly object[] }[] = []
  const note = async () => seen.push({ at: clock.now().toISOString(), items: (await bus.troubleshooting.list()).items })

  await note()
  const ids: string[] = []
  for (const [i, domain] of ['payments', 'a-b', 'a', 'payments'].entries()) {
    ids.push(await parked(setup, domain, { i }, { tenantId: i % 2 === 0 ? 't1' : 't2', replyTo: 'shop__replies' }))
    await note()
  }
  const [first = '', second = '', third = '', fourth = ''] = ids
  await bus.troubleshooting.retry('payments', first, { operator: 'jane', data: { edited: true } })
  await note()
  await bus.troubleshooting.cancel('a-b', second, { operator: 'jane', reason: 'x' })
  await note()
  await bus.troubleshooting.complete('a', third, { operator: 'jane' })
  await note()
  // the first one parks again, with its edited payload
  await parked(setup, 'payments', {})
  await note()

  expect(seen.map(({ items }) => items.length)).toEqual([0, 1, 2, 3, 4, 3, 2, 1, 3])
  for (const { at, items } of seen) {
    const then = await bus.troubleshooting.listAt({ at })
    expect(then).toMatchObject({ at, nextCursor: null })
    expect(then.items.map(({ revision: _, ...item }) => item)).toEqual(items)
  }
  const at = seen[4]?.at ?? ''
  const listed = async (filter: object) =>
    (await bus.troubleshooting.listAt({ at, ...filter })).items.map(item => item.commandId)
  expect(await listed({})).toEqual([fourth, third, second, first])
  expect(await listed({ domain: 'a' })).toEqual([third])
  expect(await listed({ tenantId: 't2' })).toEqual([fourth, second])
  expect(await listed({ q: first.slice(0, 30), errorCode: 'CARD_DECLINED', commandType: 'Charge' })).toContain(first)
  expect(await listed({ q: '100%' })).toEqual([])
  const parkedAt = (await bus.troubleshooting.listAt({ at })).items.map(item => item.parkedAt)
  expect(await listed({ from: parkedAt[2], to: parkedAt[0] })).toEqual([third, second])

  const pages: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await bus.troubleshooting.listAt({ at, limit: 1, ...(cursor ? { cursor } : {}) })
    pages.push(...page.items.map(item => item.commandId))
    cursor = page.nextCursor
  } while (cursor !== null)
  expect(pages).toEqual([fourth, third, second, first])
})

test('the queue at an instant and a correlation are read by index, however much else the database has', async () => {
  const { bus, pool } = await createTestBus()
  const client = await pool.connect()
  const plans: string[] = []
  await client.query(`load 'auto_explain'`)
  await client.query(`set auto_explain.log_min_duration = 0; set auto_explain.log_format = json`)
  await client.query(`set client_min_messages = log; set enable_seqscan = off; set auto_explain.log_level = log`)
  client.on('notice', ({ message }) => plans.push(message ?? ''))
  const queries = createInvestigationQueries(client as never)
  await queries.parkedAt({ at: '2026-01-01T00:00:00.000Z', domain: 'a', limit: 5 })
  await queries.related({ correlationId: 'c' }, 10)
  await queries.relatedFirst({ correlationId: 'c' }, 10)
  await queries.related({ correlationId: '00000000-0000-4000-8000-0000000000aa' }, 10)
  await queries.relatedRuns({ runIds: ['00000000-0000-4000-8000-0000000000aa'] }, 10)
  client.release(true)
  await bus.ready()
  expect(plans.join()).toContain('command_bus_event_parked')
  for (const index of ['correlation', 'parent', 'causation'])
    expect(plans.join()).toContain(`command_bus_command_${index}`)
  for (const index of ['workflow_run_pkey', 'credit_entry_run']) expect(plans.join()).toContain(`command_bus_${index}`)
  expect(plans.join()).not.toContain('Seq Scan')
})

test('a correlation id gives the whole tree of causes, by parent and by causation, also across ids and domains', async () => {
  const { bus } = await createTestBus()
  const send = async (domain: string, options: object) =>
    (await bus.send(domain, 'Step', {}, { tenantId: 't1', ...options })).commandId
  const root = await send('shop', { correlationId: 'order-7' })
  const charge = await send('payments', { correlationId: 'order-7', causationId: root })
  const ship = await send('shipping', { correlationId: 'order-7', causationId: root })
  const mail = await send('mail', { correlationId: 'another', causationId: charge })
  const alone = await send('shop', { correlationId: 'order-7', causationId: 'message 9 of the shop' })
  await send('shop', { correlationId: 'order-8', causationId: 'message 9 of the shop' })
  await send('shop', { correlationId: 'order-7', tenantId: 't2' })

  const tree = await bus.getCorrelation('order-7', { tenantId: 't1' })
  expect(tree).toMatchObject({ correlationId: 'order-7', truncated: false, notShown: [] })
  expect(tree.items.map(node => [idOf(node), node.cause, node.via, node.depth])).toEqual([
    [root, null, null, 0],
    [charge, 0, 'causation', 1],
    [mail, 1, 'causation', 2],
    [ship, 0, 'causation', 1],
    [alone, null, null, 0],
  ])
  expect((await bus.getCorrelation('order-7')).items).toHaveLength(6)
  expect(await bus.getCorrelation('nobody knows this')).toMatchObject({ items: [], truncated: false })
})

test('a tree above the limit shows failures first, with what led to them, and counts the rest', async () => {
  const setup = await createTestBus()
  const { bus } = setup
  const order = { correlationId: 'order-9', tenantId: 't1' }
  const bulk = Array.from({ length: 1_100 }, () => ({ commandType: 'Tell', data: {}, ...order }))
  await bus.sendBatch('mail', bulk)
  const root = (await bus.send('shop', 'Order', {}, order)).commandId
  const charge = (await bus.send('shop', 'Charge', {}, { ...order, causationId: root.toUpperCase() })).commandId
  const stuck = await parked(setup, 'payments', {}, { ...order, causationId: charge })
  const done = await parked(setup, 'payments', {}, { ...order, causationId: 'somewhere else' })
  await bus.troubleshooting.complete('payments', done, { operator: 'jane' })
  await bus.send('shop', 'Order', {}, { ...order, tenantId: 't2' })

  const tree = await bus.getCorrelation('order-9', { tenantId: 't1' })
  expect(tree.items).toHaveLength(1_000)
  const place = (id: string) => tree.items.findIndex(node => idOf(node) === id)
  expect(tree.items[place(stuck)]).toMatchObject({ cause: place(charge), depth: 2, via: 'causation' })
  expect(tree.items[place(charge)]).toMatchObject({ cause: place(root), depth: 1 })
  expect(place(done)).toBe(-1)
  expect(tree).toMatchObject({
    truncated: true,
    notShown: [
      { status: 'COMPLETED', count: 1 },
      { status: 'PENDING', count: 103 },
    ],
  })
})

test('a retry by hand hangs below the operation that it repeats', async () => {
  const setup = await createTestBus()
  const jane = { subject: 'jane', tenant: null }
  const operation = await setup.bus.operations.start(jane, { operation_type: 'question', parameters: {} })
  const refuse = () => {
    throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
  }
  const worker = await setup.work({ domain: 'operations', handlers: { '*': refuse } })
  await setup.until(
    () => setup.bus.operations.get(jane, operation.id),
    ({ status }) => status === 'failed',
  )
  await worker.stop()
  const child = await setup.bus.operations.retry(jane, operation.id)
  const command = await setup.bus.getCommand('operations', operation.id)
  const { items } = await setup.bus.getCorrelation(command?.correlationId ?? '')
  expect(items.map(node => [idOf(node), node.kind, node.via, node.depth])).toEqual([
    [operation.id, 'operation', null, 0],
    [child.id, 'operation', 'parent', 1],
  ])
})

const idOf = (node: CausalNode): string | null =>
  'commandId' in node ? node.commandId : node.kind === 'run' ? node.id : node.chargeId

const view = (commandId: string, causationId: string | null): CommandView =>
  ({ domain: 'a', commandId, causationId, parentCommandId: null }) as CommandView

test('commands that name each other as their cause are shown once each', () => {
  const tree = treeOf({
    runs: [],
    entries: [],
    commands: [view('1', '3'), view('2', '1'), view('3', '2'), view('4', '4')],
  })
  expect(tree.map(node => [idOf(node), node.depth])).toEqual([
    ['4', 0],
    ['1', 0],
    ['2', 1],
    ['3', 2],
  ])
})
