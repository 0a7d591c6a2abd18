import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

export const operations = (stage: Stage): void => {
  describe('a user', () => {
    test('B3, B7, B8, B9: starts an operation that fails, retries it, and follows the new one until it is completed', async () => {
      stage.modelWorks = false
      const { page } = await stage.visit(['USER'], '/operations', { sub: 'ursula@example.com' })
      await page.getByRole('button', { name: 'Start' }).click()
      await dialogOf(page).getByRole('button', { name: 'Start' }).click()
      await page.waitForURL(/\/operations\/[0-9a-f-]{36}$/)
      const failed = page.url()
      const alert = page.getByRole('alert')
      await alert.getByText('What to do:').waitFor()
      stage.modelWorks = true
      await alert.getByRole('button', { name: 'Retry' }).click()
      await page.getByText('Retrying operation...').waitFor()
      await page.waitForURL(url => url.href !== failed)
      await page.getByText('completed', { exact: true }).first().waitFor()
      await page.getByText('What is a lease?').waitFor()
      await page.getByRole('link', { name: failed.split('/').pop() ?? '' }).click()
      await page.getByRole('alert').waitFor()
      expect(page.url()).toBe(failed)
    })

    test('sees only their own operations, and why the rest is missing', async () => {
      const other = stage.bus.as({ subject: 'somebody@example.com', tenant: null, roles: ['USER'] })
      const { id } = await other.operations.start({ operation_type: 'question_generation', parameters: {} })
      const { page } = await stage.visit(['USER'], `/operations/${id}`, { sub: 'ursula@example.com' })
      await page.getByText('it belongs to somebody else').waitFor()
      expect(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allTextContents()).toEqual([
        'Operations',
      ])
      await page.goto(stage.url)
      await page.getByRole('heading', { name: 'Operations', level: 1 }).waitFor()
      await page.goto(`${stage.url}/commands`)
      await page.getByText('Not allowed with this token').waitFor()
      await page.getByText(/this needs one of the roles/).waitFor()
    })
  })
}
