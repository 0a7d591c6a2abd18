import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { test } from 'vitest'
import type { Role } from '../../src/index.ts'
import { dialogOf, useStage } from './stage.ts'

const images = join(import.meta.dirname, '../../docs/images')
const stage = useStage()
const everything: readonly Role[] = ['ADMIN', 'USER', 'BUBBLE_ADMIN']
const tenant = 'acme'

/** A shop on a day when the payment gateway has gone away for a while. */
const prepare = async () => {
  const { bus, served } = stage
  const invoices = Array.from({ length: 140 }, (_, i) => ({ commandType: 'SendInvoice', data: { invoice: 2000 + i } }))
  await bus.sendBatch('demo', invoices)
  const refused = { businessRule: true, errorCode: 'LIMIT_EXCEEDED', errorMessage: 'the card has a limit of 5000' }
  const charges = Array.from({ length: 9 }, (_, i) => ({
    commandType: 'ChargeCard',
    data: { amount: 9_000 + i, behavior: refused },
  }))
  await bus.sendBatch('demo', charges)
  const gateway = { permanent: false, failTransientTimes: 1, errorMessage: 'the gateway did not answer within 30 s' }
  await stage.park(200, 'ChargeCard', 'GATEWAY_TIMEOUT', gateway)
  const address = { errorMessage: 'the carrier does not know this address' }
  const [parked = ''] = await stage.park(12, 'ShipOrder', 'ADDRESS_UNKNOWN', address)
  await stage.park(3, 'ShipOrder', 'NO_STOCK', { errorMessage: 'warehouse 4 has none of article 5-118' })
  const first = await bus.send('demo', 'TakeOrder', { order: 77 }, { correlationId: 'order-77', actor: 'shop' })
  const then = { correlationId: 'order-77', causationId: first.commandId, actor: 'shop' }
  const charged = await bus.send('demo', 'ChargeCard', { amount: 25 }, then)
  await bus.send('demo', 'SendInvoice', { invoice: 1001 }, { ...then, causationId: charged.commandId })
  await bus.send('demo', 'ShipOrder', { order: 77 }, then)
  const api = served.client(await served.token(everything, { sub: 'jane@example.com', tenant }))
  stage.modelWorks = false
  const parameters = { topic: 'leases' }
  const operation = await api.startOperation({ body: { operation_type: 'question_generation', parameters } })
  await api.grantCredits({ body: { pool: 'monthly', amount: 50, reason: 'plan "team"' } })
  const customer = served.client(await served.token(['CUSTOMER_ADMIN'], { sub: 'jane@example.com', tenant }))
  const template = await customer.createTemplate({ body: { name: 'Summaries', creditsPerRun: 2 } })
  const names = ['lease.pdf', 'good-annex-1.pdf', 'good-annex-2.pdf', 'protocol.pdf', 'good-letter.pdf', 'scan-3.pdf']
  const files = names.map(fileName => ({ fileName }))
  const run = await customer.startRun({ body: { templateId: template.id, files } })
  return { parked, operation: operation.id, run: run.id }
}

interface Shot {
  readonly name: string
  readonly path: string
  readonly before?: (page: Page) => Promise<unknown>
}

test('every page, light and dark', async () => {
  await mkdir(images, { recursive: true })
  const { parked, operation, run } = await prepare()
  let action = '/troubleshooting/actions/'
  const shots: readonly Shot[] = [
    { name: 'overview', path: '/' },
    { name: 'commands', path: '/commands' },
    {
      name: 'command',
      path: `/commands/demo/${parked}?at=1`,
      before: page => page.mouse.wheel(0, 320),
    },
    { name: 'search', path: '/search?q=ADDRESS_UNKNOWN' },
    { name: 'troubleshooting', path: '/troubleshooting' },
    { name: 'troubleshooting-list', path: '/troubleshooting?view=list&errorCode=ADDRESS_UNKNOWN' },
    {
      name: 'confirmation',
      path: '/troubleshooting?errorCode=ADDRESS_UNKNOWN',
      before: async page => {
        await page.getByRole('button', { name: 'Retry' }).click()
        await dialogOf(page).getByLabel('Try a few first').check()
      },
    },
    { name: 'operations', path: '/operations' },
    { name: 'operation', path: `/operations/${operation}` },
    { name: 'runs', path: '/runs' },
    { name: 'run', path: `/runs/${run}` },
    {
      name: 'continue',
      path: `/runs/${run}`,
      before: async page => {
        await page.getByTestId('continue-button').click()
        await dialogOf(page).getByTestId('preview').waitFor()
      },
    },
    { name: 'credits', path: `/credits?tenantId=${tenant}` },
    { name: 'audit', path: '/audit?correlationId=order-77' },
    { name: 'proof', path: '/audit?view=proof' },
  ]
  const size = { viewport: { width: 1120, height: 700 } }
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await stage.visit(everything, '/', { ...size, colorScheme })
    const shoot = (name: string) => page.screenshot({ path: join(images, `${name}-${colorScheme}.png`) })
    const settle = async () => {
      await page.locator('main h1').waitFor()
      await page.locator('[data-testid=live][data-mode=live]').waitFor()
      await page
        .getByText(/^Loading/)
        .first()
        .waitFor({ state: 'detached' })
    }
    for (const { name, path, before } of shots) {
      await page.goto(stage.url + path)
      await settle()
      await before?.(page)
      await page.waitForTimeout(150)
      await shoot(name)
    }
    if (colorScheme === 'light') {
      await page.goto(`${stage.url}/troubleshooting?errorCode=GATEWAY_TIMEOUT`)
      await page.getByRole('button', { name: 'Retry' }).click()
      await dialogOf(page).getByLabel('Try a few first').check()
      await dialogOf(page).getByRole('button', { name: 'Retry 200 commands' }).click()
      await page.locator('[data-testid=action-status][data-status=COMPLETED]').waitFor()
      action = new URL(page.url()).pathname
    }
    await page.goto(stage.url + action)
    await page.getByTestId('action-status').waitFor()
    await shoot('action')
    await page.setViewportSize({ width: 360, height: 760 })
    await page.goto(stage.url)
    await settle()
    await shoot('phone')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.setViewportSize(size.viewport)
    await shoot('sign-in')
  }
})
