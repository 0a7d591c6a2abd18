import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What axe finds on the page as it is now. */
const violations = async (page: Page, options = '{}'): Promise<readonly string[]> => {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(await readFile(axeFile, 'utf8'))
  // colours in a transition from light to dark are not checked
  await page.evaluate('Promise.allSettled(document.getAnimations().map(animation => animation.finished))')
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, ${options}).then(({ violations }) => violations)`,
  )
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

/** Pixels by which a page is wider than its window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')

const fitsAndReads = async (page: Page, where: string): Promise<void> => {
  expect(await violations(page), where).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await violations(page, "{ runOnly: ['color-contrast'] }"), `${where}, dark`).toEqual([])
  await page.emulateMedia({ colorScheme: 'light' })
  for (const width of [360, 2560, 1280]) {
    await page.setViewportSize({ width, height: 900 })
    expect(await overflow(page), `${where}, ${width} px`).toBeLessThanOrEqual(0)
  }
}

export const everybody = (stage: Stage, paths: () => Promise<readonly string[]>): void => {
  describe('for everybody', () => {
    test('axe finds nothing on any page, light and dark, and each fits a narrow and a wide window', async () => {
      const { page } = await stage.visit(['ADMIN', 'USER', 'BUBBLE_ADMIN'], '/', { colorScheme: 'light' })
      for (const path of await paths()) {
        // as a click on a link does, without loading the console again
        await page.evaluate(`history.pushState(null, '', '${path}'); dispatchEvent(new PopStateEvent('popstate'))`)
        await page.locator('main h1').waitFor()
        await page
          .getByText(/^Loading/)
          .first()
          .waitFor({ state: 'detached' })
        await fitsAndReads(page, path)
      }
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await fitsAndReads(page, 'sign in')
    })

    test('with long names the important parts stay visible on a phone', async () => {
      const errorCode = `PARTNER_REJECTED_${'CONFLICTING_'.repeat(4)}VERSIONS`
      const errorMessage = `HTTP 409 ${'x'.repeat(300)}`
      await stage.park(1, `Synchronize${'CustomerMasterData'.repeat(3)}`, errorCode, { errorMessage })
      const { page } = await stage.visit(['OPERATOR'], '/', { viewport: { width: 360, height: 800 } })
      const rightOf = async (place: Locator): Promise<number> => {
        const box = await place.first().boundingBox()
        return (box?.x ?? 0) + (box?.width ?? Number.POSITIVE_INFINITY)
      }
      const rows = page.locator('tbody tr', { hasText: errorCode })
      for (const path of [
        '/',
        `/commands?errorCode=${errorCode}`,
        `/troubleshooting?view=list&errorCode=${errorCode}`,
      ]) {
        await page.goto(stage.url + path)
        // the causes of other scenarios may be before this one
        if (path === '/') await page.getByRole('button', { name: / more$/ }).click()
        expect(await rightOf(rows.locator('td:visible').last()), path).toBeLessThanOrEqual(360)
      }
      await page.goto(`${stage.url}/troubleshooting?errorCode=${errorCode}`)
      await page.getByRole('button', { name: 'Retry' }).waitFor()
      expect(await overflow(page)).toBeLessThanOrEqual(0)
    })

    test('everything can be reached with the keyboard, also dialogs and the way out of them', async () => {
      await stage.park(1, 'ByKeyboard', 'BY_KEYBOARD')
      const { page } = await stage.visit(['OPERATOR'])
      await page.keyboard.press('?')
      await dialogOf(page).getByText('Next or previous row').waitFor()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await dialogOf(page).waitFor({ state: 'detached' })
      await page.keyboard.press('g')
      await page.keyboard.press('t')
      await page.getByRole('heading', { name: 'Troubleshooting', level: 1 }).waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('BY_KEYBOARD')
      await page.keyboard.press('Enter')
      await page.getByRole('link', { name: 'ByKeyboard' }).first().waitFor()
      await page.locator('h1').focus()
      await page.keyboard.press('j')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'ByKeyboard', level: 1 }).waitFor()
      const retry = page.getByRole('button', { name: 'Retry', exact: true })
      await retry.focus()
      await page.keyboard.press('Enter')
      await dialogOf(page).waitFor()
      expect(await violations(page)).toEqual([])
      // the focus goes round in the dialog and the browser's own controls, never through the page behind
      for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab')
        expect(
          await page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
          ),
        ).toBe(true)
      }
      await page.keyboard.press('Escape')
      await dialogOf(page).waitFor({ state: 'detached' })
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Retry')
    })

    test('the theme can be chosen, and is kept', async () => {
      const { page } = await stage.visit(['OPERATOR'], '/', { colorScheme: 'light' })
      const colour = () => page.evaluate<string>('getComputedStyle(document.body.parentElement).backgroundColor')
      const light = await colour()
      await page.getByRole('button', { name: /Theme: system/ }).click()
      await page.getByRole('button', { name: /Theme: light/ }).click()
      expect(await colour()).not.toBe(light)
      await page.reload()
      await page.getByRole('button', { name: /Theme: dark/ }).waitFor()
      expect(await colour()).not.toBe(light)
    })
  })
}
