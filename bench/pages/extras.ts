import { loadLibrary } from '../build.ts'
import { batches, payload, sleep } from '../work.ts'
import { COMMON_CODE, LARGE } from './kinds.ts'

const REPLIES = 2_000
const KEYS = 50
const operator = 'ann'

/** What pages are asked for by name. */
export type Names = {
  readonly action: string
  readonly run: string
  readonly operation: string
}

/** Who asks: the owner of the operations and runs. */
export const asker = { subject: 'ann', tenant: null, roles: ['ADMIN', 'BUBBLE_ADMIN'] } as const

/** A little of all else that has pages: schedules, views, lanes, replies and so on, by the bus itself. */
export const addExtras = async (databaseUrl: string): Promise<Names> => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl, service: 'shop' })
  const ended = new AbortController()
  const running: Promise<unknown>[] = []
  try {
    await bus.search.declare({ domain: LARGE, commandType: 'OrderRare01', paths: ['account'], operator })
    for (let i = 1; i <= 20; i++) {
      const report = { domain: 'mail', commandType: 'Mail01', data: {}, cron: `${i} 2 * * *` }
      await bus.schedules.set(`nightly-${i}`, report, { operator })
    }
    const quiet = { from: '00:00', to: '23:59', timeZone: 'UTC' }
    const url = 'https://example.com/'
    await bus.alerts.set('on-call', { url, secret: '0'.repeat(32), on: ['groups'], quiet }, { operator })
    await bus.views.set(asker, 'failed', { list: 'commands', filter: { status: 'FAILED' } })
    await bus.pause({ domain: 'billing', commandType: 'Bill08', reason: 'the books are closed', operator })
    await bus.causes.note({ domain: LARGE, commandType: 'Order01', errorCode: COMMON_CODE, text: 'known', operator })
    await bus.limits.set('crm', 'fair', { by: 'tenant', width: 5, operator })
    for (let i = 0; i < 4 * KEYS; i++)
      await bus.send('crm', 'Customer03', payload(i), { key: `customer ${i % KEYS}`, delaySeconds: 0 })

    for (const batch of batches(REPLIES)) {
      const commands = batch.map(i => ({ commandType: 'Ship05', data: payload(i), replyTo: 'shop_replies' }))
      await bus.sendBatch('shipping', commands)
    }
    for (const domain of ['operations', 'workflow'])
      await bus.worker({ domain, handlers: { '*': { handle: () => ({ handled: true }) } }, pollMs: 100 }).start()
    const shipping = bus.worker({ domain: 'shipping', handlers: { Ship05: { handle: () => ({}) } }, concurrency: 50 })
    await shipping.start()
    for (const run of [bus.runs.run, bus.actions.run]) running.push(run(ended.signal))

    const user = { subject: asker.subject, tenant: null }
    const { id: operation } = await bus.operations.start(user, { operation_type: 'summary', parameters: {} })
    const { id: templateId } = await bus.runs.createTemplate(user, { name: 'Summaries', creditsPerRun: 0 })
    const files = Array.from({ length: 20 }, (_, i) => ({ fileName: `${i}.pdf`, input: {} }))
    const { id: run } = await bus.runs.initiate(user, { templateId, files })
    const { items } = await bus.troubleshooting.list({ domain: 'shipping', limit: 100 })
    const ids = items.map(({ domain, commandId }) => ({ domain, commandId }))
    const { actionId: action } = await bus.actions.start({ action: 'retry', ids, operator })
    while ((await bus.actions.get(action))?.status !== 'COMPLETED') await sleep(50)
    while (
      (await bus.queryCommands({ domain: 'shipping', commandType: 'Ship05', status: 'PENDING', limit: 1 })).items
        .length > 0
    )
      await sleep(50)
    return { action, run, operation }
  } finally {
    ended.abort()
    await Promise.all(running)
    await bus.close()
  }
}
