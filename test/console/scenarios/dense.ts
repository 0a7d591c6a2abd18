import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { Stage } from '../stage.ts'

/** How many rows are whole in the window, and the height of the highest. */
const rowsIn = (page: Page) =>
  page.evaluate<{ readonly whole: number; readonly highest: number }>(`(() => {
    const boxes = [...document.querySelectorAll('tbody tr')].map(row => row.getBoundingClientRect())
    return { whole: boxes.filter(box => box.bottom <= innerHeight).length, highest: Math.max(...boxes.map(box => box.height)) }
  })()`)

export const dense = (stage: Stage): void => {
  describe('lists', () => {
    test('show at least 25 rows of one line, use a wide window, and keep the row under the pointer in its place', async () => {
      await stage.park(30, 'ChargeCardOfCustomer', 'DENSE', { errorMessage: `HTTP 409 ${'conflict '.repeat(40)}` })
      const viewport = { width: 1440, height: 900 }
      const { page } = await stage.visit(['OPERATOR'], '/troubleshooting?view=list&errorCode=DENSE', { viewport })
      for (const path of ['/troubleshooting?view=list&errorCode=DENSE', '/commands?errorCode=DENSE']) {
        await page.goto(stage.url + path)
        await page.locator('tbody tr').first().waitFor()
        const { whole, highest } = await rowsIn(page)
        expect(whole, path).toBeGreaterThanOrEqual(25)
        expect(highest, path).toBeLessThan(32)
      }
      await page.setViewportSize({ width: 2560, height: 1300 })
      expect((await page.getByRole('table').boundingBox())?.width).toBeGreaterThan(2_200)

      const row = page.locator('tbody tr').nth(5)
      const text = await row.getByRole('link').textContent()
      await row.hover()
      const data = { behavior: { permanent: true, errorCode: 'DENSE', errorMessage: 'it does not work' } }
      const late = { commandType: 'ChargeCardOfCustomer', data, maxAttempts: 1 }
      await stage.bus.sendBatch('demo', [late, late])
      await page.getByRole('button', { name: '2 new, show' }).waitFor()
      expect(await row.getByRole('link').textContent()).toBe(text)
      await page.getByRole('button', { name: '2 new, show' }).click()
      await expect.poll(() => page.locator('tbody tr').count()).toBe(32)
    })

    test('on a phone keep the actions on a selection in sight, say since when, and show the current place', async () => {
      await stage.park(12, 'ChargeCard', 'NARROW')
      const viewport = { width: 390, height: 700 }
      const { page } = await stage.visit(['OPERATOR'], '/troubleshooting?view=list&errorCode=NARROW', { viewport })
      await page
        .getByRole('checkbox', { name: /^Select ChargeCard/ })
        .first()
        .check()
      await page.locator('tbody tr').last().scrollIntoViewIfNeeded()
      const retry = await page.getByRole('button', { name: 'Retry', exact: true }).boundingBox()
      expect(retry?.y).toBeGreaterThanOrEqual(0)
      expect(retry?.y).toBeLessThan(200)
      await page.locator('tbody tr').last().locator('time').first().waitFor()
      await page.goto(`${stage.url}/audit`)
      const place = await page.locator('nav [aria-current=page]').boundingBox()
      expect((place?.x ?? -1) + (place?.width ?? 0)).toBeLessThanOrEqual(390)
      expect(place?.x).toBeGreaterThanOrEqual(0)
    })
  })
}
