import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import type * as Library from '../../src/index.ts'
import { until } from '../support/bus.ts'

const operator = 'ann'
const id = (n: number): string => `0badcafe-0000-4000-8000-${String(n).padStart(12, '0')}`
const ends = (outcome: 'ok' | 'park' | 'refuse' | 'flaky') => ({
  outcome,
  card: { number: '4111 1111 1111 1111' },
  euro: 0.1,
})

/**
 * A life for each kind of data that the package keeps, by its public calls: commands in every status, what operators did, schedules,
 * lanes, runs, alerts. Everything rests at the end, and something waits for whoever goes on.
 */
export const fillWithEveryKind = async (library: typeof Library, databaseUrl: string): Promise<void> => {
  const { createCommandBus, BusinessRuleError, PermanentCommandError, TransientCommandError } = library
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 3 })
  const receiver = createServer((request, response) => request.resume().on('end', () => response.end())).listen(0)
  const ended = new AbortController()
  const bus = createCommandBus({
    databaseUrl,
    service: 'shop',
    sensitive: { shop: { '*': ['card.number'] } },
    alerts: { allowLocal: true },
  })
  const running: Promise<unknown>[] = []
  try {
    await bus.search.declare({ domain: 'shop', commandType: 'Order', paths: ['outcome'], operator })
    await bus.limits.set('shop', 'fair', { by: 'tenant', width: 5, ratePerSecond: 1_000, operator })
    await bus.lanes.set('shop', 'customer 7', { width: 2, ratePerSecond: 50, operator })
    await bus.schedules.set(
      'nightly',
      { domain: 'shop', commandType: 'Report', data: {}, cron: '30 2 * * *' },
      { operator },
    )
    await bus.schedules.set(
      'often',
      { domain: 'shop', commandType: 'Report', data: ends('ok'), everySeconds: 1 },
      { operator },
    )
    await bus.alerts.set(
      'on-call',
      {
        url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
        secret: '0123456789abcdef0123456789abcdef',
        on: ['groups', 'lateReplies'],
      },
      { operator },
    )
    await bus.views.set({ subject: operator, tenant: null }, 'refused', {
      list: 'commands',
      filter: { status: 'FAILED' },
    })

    const order = (outcome: 'ok' | 'park' | 'refuse' | 'flaky', n: number, options: Library.SendOptions = {}) =>
      bus.send('shop', 'Order', ends(outcome), {
        commandId: id(n),
        replyTo: 'shop_replies',
        backoffSeconds: [1],
        ...options,
      })
    for (const n of [1, 2, 3]) await order('ok', n, { key: 'customer 7' })
    await order('refuse', 4)
    await order('flaky', 5, { tenantId: 'acme' })
    for (let n = 10; n < 20; n++) await order('park', n, n % 2 === 0 ? { tenantId: 'acme' } : {})
    await order('ok', 20, { delaySeconds: 86_400 })
    await order('ok', 21, { delaySeconds: 86_400 })
    await bus.send('idle', 'Order', ends('ok'), { commandId: id(22), expiresInSeconds: 1 })
    await order('ok', 23, { priority: 'high' })
    await bus.cancel('shop', id(21), { actor: operator, reason: 'not wanted' })
    // nobody works for these, so they wait for the workers of the version that is tried
    for (let n = 30; n < 40; n++)
      await bus.send('later', 'Order', ends('ok'), { commandId: id(n), key: `key ${n % 3}` })
    await bus.pause({ domain: 'shop', commandType: 'Paused', reason: 'the bank is closed', operator })
    await bus.send('shop', 'Paused', ends('ok'), { commandId: id(40) })
    // a message of another program
    await pool.query(`select pgmq.send('shop__commands', '{"hello": "world"}')`)
    await pool.query(`select pgmq.send('shop__commands', '{"hello": "again"}')`)

    const handle = (data: { readonly outcome?: string }, { attempt }: { readonly attempt: number }) => {
      if (data.outcome === 'refuse') throw new BusinessRuleError('NO_CREDIT', 'the customer has no credit')
      if (data.outcome === 'park') throw new PermanentCommandError('CARD_EXPIRED', 'the card has expired')
      if (data.outcome === 'flaky' && attempt === 1) throw new TransientCommandError('BUSY', 'try again')
      return { done: true, card: { number: '4111 1111 1111 1111' } }
    }
    for (const domain of ['shop', 'operations', 'workflow']) {
      const worker = bus.worker({ domain, handlers: { '*': { handle } }, pollMs: 100 })
      await worker.start()
    }
    const runners = [bus.runs.run, bus.schedules.carryOut, bus.alerts.run, bus.figures.count, bus.actions.run]
    for (const run of runners) running.push(run(ended.signal))

    const statuses = async () => {
      const { rows } = await pool.query('select status, count(*)::int as n from command_bus_command group by 1')
      return Object.fromEntries(rows.map(({ status, n }) => [status, n])) as Readonly<Record<string, number>>
    }
    await until(
      statuses,
      ({ IN_TROUBLESHOOTING_QUEUE = 0, FAILED = 0, CANCELED = 0, COMPLETED = 0 }) =>
        IN_TROUBLESHOOTING_QUEUE === 10 && FAILED === 1 && CANCELED === 2 && COMPLETED > 5,
    )

    await bus.troubleshooting.retry('shop', id(10), { operator, data: ends('ok'), reason: 'a new card' })
    await bus.troubleshooting.cancel('shop', id(11), { operator, reason: 'gave up' })
    await bus.troubleshooting.complete('shop', id(12), {
      operator,
      resultData: { byHand: true },
      reason: 'paid in cash',
    })
    await bus.troubleshooting.snooze('shop', id(13), {
      operator,
      until: new Date(Date.now() + 86_400_000).toISOString(),
    })
    await bus.troubleshooting.note('shop', id(14), { operator, text: 'called the customer' })
    await bus.troubleshooting.assign('shop', id(14), { operator, assignee: 'bob' })
    await bus.troubleshooting.tag('shop', id(14), { operator, tags: ['bank', 'eu'] })
    const cause = { domain: 'shop', commandType: 'Order', errorCode: 'CARD_EXPIRED', operator }
    await bus.causes.note({ ...cause, text: 'the provider knows' })
    const { actionId: action } = await bus.actions.start({
      action: 'retry',
      ids: [id(15), id(16)].map(commandId => ({ domain: 'shop', commandId })),
      operator,
    })
    await until(
      () => bus.actions.get(action),
      view => view?.status === 'COMPLETED',
    )
    await bus.strangers.list()

    const user = { subject: 'eve', tenant: 'acme' }
    await bus.operations.start(user, { operation_type: 'summary', parameters: ends('ok') })
    await bus.credits.grant(operator, 'acme', { pool: 'monthly', amount: 100, reason: 'plan' })
    const { id: templateId } = await bus.runs.createTemplate(user, { name: 'Summaries', creditsPerRun: 2 })
    await bus.runs.initiate(user, { templateId, files: [{ fileName: 'a.pdf', input: {} }] })
    await until(
      () => pool.query(`select from command_bus_workflow_run where status = 'COMPLETED'`),
      ({ rowCount }) => rowCount === 1,
    )
    const full = [
      'command_bus_type_figure',
      'command_bus_error_figure',
      'command_bus_queue_sample',
      'command_bus_stranger',
      'command_bus_alert_delivery',
    ]
    for (const table of full)
      await until(
        () => pool.query(`select from ${table} limit 1`),
        ({ rowCount }) => rowCount === 1,
      )
  } finally {
    ended.abort()
    await Promise.all(running)
    await bus.close()
    await pool.end()
    receiver.close()
  }
}
