import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

const tenant = 't1'

export const runs = (stage: Stage): void => {
  describe('a tenant', () => {
    test('C5, C8, C15: starts a run that ends with errors, is told what Continue costs, and continues it', async () => {
      const boss = await stage.visit(['BUBBLE_ADMIN'], '/credits', { tenant, sub: 'boss@example.com' })
      await boss.page.getByRole('button', { name: 'Grant credits' }).click()
      await dialogOf(boss.page).getByLabel('Amount').fill('7')
      await dialogOf(boss.page).getByLabel('Reason').fill('a trial')
      await dialogOf(boss.page).getByRole('button', { name: 'Grant 7 credits' }).click()
      await boss.page.getByText('a trial, by boss@example.com').waitFor()

      const { page } = await stage.visit(['CUSTOMER_ADMIN'], '/credits', { tenant })
      await page.getByText('a trial, by boss@example.com').waitFor()
      expect(await page.getByRole('button', { name: 'Grant credits' }).count()).toBe(0)
      await page.getByRole('link', { name: 'Workflow runs' }).click()
      await page.getByRole('button', { name: 'Start a run' }).click()
      await dialogOf(page).getByLabel('Name').fill('Summaries')
      await dialogOf(page).getByLabel('Credits a file').fill('2')
      await dialogOf(page).getByRole('button', { name: 'Make the template' }).click()
      stage.modelWorks = false
      await dialogOf(page).getByLabel('Files, one name a line').fill('a.pdf\nb.pdf\ngood.pdf')
      await dialogOf(page).getByRole('button', { name: 'Start with 3 files for 6 credits' }).click()
      await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/)
      await page.getByText('Completed with errors').waitFor()
      expect(await page.getByTestId('files-failed').textContent()).toBe('2')

      await page.getByTestId('continue-button').click()
      const preview = dialogOf(page).getByTestId('preview')
      expect(await preview.textContent()).toMatch(/Files to run again2.*Credits needed4Credits there are1/)
      await dialogOf(page).getByText('This run cannot be continued now').waitFor()
      expect(
        await dialogOf(page)
          .getByRole('button', { name: /^Continue with/ })
          .isDisabled(),
      ).toBe(true)
      await dialogOf(page).getByRole('button', { name: 'Back' }).click()

      await boss.page.getByRole('button', { name: 'Grant credits' }).click()
      await dialogOf(boss.page).getByLabel('Amount').fill('10')
      await dialogOf(boss.page).getByLabel('Reason').fill('more')
      await dialogOf(boss.page).getByRole('button', { name: 'Grant 10 credits' }).click()
      await boss.page.getByText('more, by boss@example.com').waitFor()
      stage.modelWorks = true
      await page.getByTestId('continue-button').click()
      await dialogOf(page).getByRole('button', { name: 'Continue with 2 files for 4 credits' }).click()
      await page.getByText('Completed', { exact: true }).waitFor()
      expect(await page.getByTestId('files-completed').textContent()).toBe('3')
      expect(await page.getByText('round 2, 2 files in it').count()).toBe(1)
      expect(await page.getByTestId('continue-button').count()).toBe(0)
      await page.getByRole('link', { name: 'Credits' }).click()
      await page.getByText('Charge').first().waitFor()
    })
  })
}
