import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

export const bulk = (stage: Stage): void => {
  describe('many commands at once', () => {
    test('200 are retried with a canary; a reload in the middle shows the same; each has its result', async () => {
      await stage.park(200, 'ChargeCard', 'GATEWAY_DOWN', { permanent: false, failTransientTimes: 1, durationMs: 20 })
      const { page } = await stage.visit(['OPERATOR'], '/troubleshooting?errorCode=GATEWAY_DOWN')
      await page.getByText('200 commands').waitFor()
      await page.getByRole('button', { name: 'Retry' }).click()
      expect(await dialogOf(page).getByTestId('target').textContent()).toBe(
        '200 commands: all in troubleshooting with error GATEWAY_DOWN, of type ChargeCard, in domain demo. What gets there later is left alone.',
      )
      await dialogOf(page).getByLabel('Try a few first').check()
      await dialogOf(page).getByLabel('How many first').fill('20')
      await dialogOf(page).getByRole('button', { name: 'Retry 200 commands' }).click()
      await page.waitForURL(/\/troubleshooting\/actions\/[0-9a-f-]{36}$/)
      const address = page.url()
      await page.reload()
      await page.getByTestId('action-status').waitFor()
      expect(page.url()).toBe(address)
      await page.locator('[data-testid=action-status][data-status=COMPLETED]').waitFor()
      expect(await page.getByTestId('action-succeeded').textContent()).toBe('200')
      expect(await page.getByText('canary of 20').count()).toBe(1)
      expect(await page.locator('tbody tr').count()).toBe(100)
      await page.getByRole('button', { name: 'Older' }).click()
      await page.getByText('Command 101').waitFor()
      await page.getByLabel('Outcome').selectOption({ label: 'Failed' })
      await page.getByText('No command has this outcome').waitFor()
      expect(new URL(page.url()).search).toBe('?outcome=FAILED')
    })

    test('a canary that fails leaves the rest where they are, and says what to do', async () => {
      const ids = await stage.park(5, 'ChargeCard', 'STILL_DOWN')
      const { page } = await stage.visit(['OPERATOR'], '/troubleshooting?view=list&errorCode=STILL_DOWN')
      await page.getByLabel('Select page').check()
      await page.getByText('5 commands selected').waitFor()
      await page.getByRole('button', { name: 'Retry' }).click()
      await dialogOf(page).getByLabel('Try a few first').check()
      await dialogOf(page).getByRole('button', { name: 'Retry 5 commands' }).click()
      await page.locator('[data-testid=action-status][data-status=CANARY_FAILED]').waitFor()
      await page.getByText('the rest stayed in troubleshooting').waitFor()
      expect(await Promise.all(ids.map(id => stage.status(id)))).toEqual(Array(5).fill('IN_TROUBLESHOOTING_QUEUE'))
      await page.getByRole('link', { name: 'Troubleshooting' }).click()
      await page.getByText('Latest action: retry 5 commands').waitFor()
    })
  })
}
