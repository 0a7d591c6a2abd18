import { describe, expect, test } from 'vitest'
import type { Stage } from '../stage.ts'

export const living = (stage: Stage): void => {
  describe('what is shown', () => {
    test('is live, can be paused, and catches up', async () => {
      const { page } = await stage.visit(['OPERATOR', 'SENDER'], '/commands?commandType=LiveOne')
      const live = page.getByTestId('live')
      const rows = () => page.getByRole('link', { name: 'LiveOne' }).count()
      await page.locator('[data-testid=live][data-mode=live]').waitFor()
      await page.getByText('No matching commands').waitFor()
      await stage.bus.send('demo', 'LiveOne', {})
      await page.getByRole('link', { name: 'LiveOne' }).waitFor()
      // the first may have come with the load that follows a new connection; this one comes as an event
      await stage.bus.send('demo', 'LiveOne', {})
      await expect.poll(rows, { timeout: 60_000 }).toBe(2)
      await page.getByRole('button', { name: 'Pause updates' }).click()
      await stage.bus.send('demo', 'LiveOne', {})
      await live.getByText(/new/).waitFor()
      expect(await rows()).toBe(2)
      await page.getByRole('button', { name: 'Resume updates' }).click()
      await expect.poll(rows, { timeout: 60_000 }).toBe(3)
      expect(await page.getByText('data as of').count()).toBe(1)
    })

    test('survives a restart of the server: shows that it is offline, and continues by itself', async () => {
      const { page } = await stage.visit(['OPERATOR'], '/commands?commandType=AfterRestart')
      await page.locator('[data-testid=live][data-mode=live]').waitFor()
      await page.getByText('No matching commands').waitFor()
      const start = await stage.stopServer()
      await page.locator('[data-testid=live][data-mode=offline]').waitFor()
      await page.getByText('The server does not answer').first().waitFor()
      await stage.bus.send('demo', 'AfterRestart', {})
      await start()
      await page.locator('[data-testid=live][data-mode=live]').waitFor()
      await page.getByRole('link', { name: 'AfterRestart' }).waitFor()
      expect(await page.getByText('The server does not answer').count()).toBe(0)
    })

    test('keeps its filters in the address, also with back and forward', async () => {
      await stage.park(1, 'Filtered', 'FILTER_ME')
      const { page } = await stage.visit(['OPERATOR'], '/commands')
      await page.getByLabel('Status').selectOption({ label: 'Troubleshooting' })
      await page.getByLabel('Error code').fill('FILTER_ME')
      await page.waitForURL(/errorCode=FILTER_ME/)
      expect(new URL(page.url()).searchParams.get('status')).toBe('IN_TROUBLESHOOTING_QUEUE')
      await page.getByRole('link', { name: 'Filtered' }).click()
      await page.getByRole('heading', { name: 'Filtered', level: 1 }).waitFor()
      await page.goBack()
      expect(await page.getByLabel('Error code').inputValue()).toBe('FILTER_ME')
      await page.getByRole('button', { name: 'Clear filters' }).click()
      await page.waitForURL(`${stage.url}/commands`)
    })

    test('finds a command by its id, its correlation id and its error', async () => {
      const sent = await stage.bus.send('demo', 'FindMe', {}, { correlationId: 'order 77/a' })
      const { page } = await stage.visit(['OPERATOR'])
      const box = page.getByLabel('Search by id, correlation id or error')
      for (const text of [sent.commandId, 'order 77/a']) {
        await box.fill(text)
        await box.press('Enter')
        await page.getByRole('link', { name: 'FindMe' }).first().waitFor()
      }
    })
  })
}
