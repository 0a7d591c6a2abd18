import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

const tenant = 't1'

export const runs = (stage: Stage): void => {
  describe('a tenant', () => {
    test('C5, C8, C15: starts a run that ends with errors, sees what Continue costs, and continues it', async () => {
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
      await dialogOf(page).getByLabel('Credits per file').fill('2')
      await dialogOf(page).getByRole('button', { name: 'Create the template' }).click()
      stage.modelWorks = false
      await dialogOf(page).getByLabel('Files, one name per line').fill('a.pdf\nb.pdf\ngood.pdf')
      await dialogOf(page).getByRole('button', { name: 'Start with 3 files for 6 credits' }).click()
      await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/)
      await page.getByText('Completed with errors').waitFor()
      expect(await page.getByTestId('files-failed').textContent()).toBe('2')

      await page.getByTestId('continue-button').click()
      const preview = dialogOf(page).getByTestId('preview')
      expect(await preview.textContent()).toMatch(/Files to run again2.*Credits needed4Credits available1/)
      await dialogOf(page).getByText('This run cannot be continued now').waitFor()
      expect(
        await dialogOf(page)
          .getByRole('button', { name: /^Continue with/ })
          .isDisabled(),
      ).toBe(true)
      await dialogOf(page).getByRole('button', { name: 'Close', exact: true }).click()

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

    test('keeps templates: makes one, starts with it, archives it, and still sees it, marked', async () => {
      const { page } = await stage.visit(['CUSTOMER_ADMIN'], '/runs', { tenant: 't7', sub: 'ann@example.com' })
      await page.getByRole('link', { name: 'Templates' }).click()
      await page.getByText('There are no templates yet').waitFor()
      await page.getByRole('button', { name: 'New template' }).click()
      expect(await dialogOf(page).getByLabel('Tenant').count()).toBe(0)
      await dialogOf(page).getByLabel('Name').fill('Contracts')
      await dialogOf(page).getByLabel('Credits per file').fill('3')
      await dialogOf(page).getByLabel('All files in one job').check()
      await dialogOf(page).getByRole('button', { name: 'Create the template' }).click()
      const row = page.locator('tbody tr', { hasText: 'Contracts' })
      await row.getByText('3 credits per file').waitFor()
      await row.getByText('all files in one job').waitFor()
      await page.locator('h1').focus()
      await page.keyboard.press('j')
      await page.keyboard.press('Enter')
      await dialogOf(page).getByText('Contracts, 3 credits per file').waitFor({ state: 'attached' })
      await page.keyboard.press('Escape')

      await page.getByRole('button', { name: 'Archive Contracts' }).click()
      await dialogOf(page).getByText('No new run can use').waitFor()
      await dialogOf(page).getByRole('button', { name: 'Archive it' }).click()
      await row.getByText('Archived').first().waitFor()
      expect(await row.getByRole('button').count()).toBe(0)
      await page.getByLabel('State').selectOption({ label: 'In use' })
      await page.waitForURL('**/runs/templates?archived=false')
      await page.getByText('There are no templates yet').waitFor()
      await page.goBack()
      await row.waitFor()

      // a template of all tenants can be used by this tenant, but not archived
      const boss = await stage.visit(['BUBBLE_ADMIN'], '/runs/templates', { sub: 'boss@example.com' })
      await boss.page.getByRole('button', { name: 'New template' }).click()
      await dialogOf(boss.page).getByLabel('Name').fill('For all')
      await dialogOf(boss.page).getByRole('button', { name: 'Create the template' }).click()
      await boss.page.getByRole('button', { name: 'Archive For all' }).waitFor()
      await page.reload()
      await page.getByRole('button', { name: 'Start a run of For all' }).waitFor()
      expect(await page.getByRole('button', { name: 'Archive For all' }).count()).toBe(0)

      const auditor = await stage.visit(['AUDITOR'], '/runs/templates')
      await auditor.page.getByText('Not allowed with this token').waitFor()
    })
  })
}
