import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

export const investigating = (stage: Stage): void => {
  describe('an investigator', () => {
    test('moves through the life of a command event by event, and the moment is in the address', async () => {
      const [id = ''] = await stage.park(1, 'Traveled', 'TRAVEL')
      const { page } = await stage.visit(['AUDITOR'], `/commands/demo/${id}`)
      const moment = page.getByTestId('moment')
      await moment.getByText('Moved to troubleshooting queue').waitFor()
      const slider = page.getByLabel('Moment in the life of the command')
      await slider.focus()
      await page.keyboard.press('Home')
      await moment.getByText('Pending', { exact: true }).waitFor()
      expect(new URL(page.url()).search).toBe('?at=0')
      await page.getByRole('button', { name: 'Next event' }).click()
      await moment.getByText('In progress', { exact: true }).waitFor()
      expect(await moment.textContent()).toContain('/attempts')
      await page.reload()
      await moment.getByText('In progress', { exact: true }).waitFor()
      const timeline = page.getByRole('region', { name: 'Timeline' })
      expect(await timeline.getByRole('listitem').count()).toBe(3)
      await timeline.getByLabel('Event').selectOption('MOVED_TO_TROUBLESHOOTING_QUEUE')
      await timeline.getByText('Sent', { exact: true }).waitFor({ state: 'detached' })
      expect(await timeline.getByRole('listitem').textContent()).toMatch(/Moved to troubleshooting queue.*after/)
      expect(new URL(page.url()).search).toBe('?at=1&event=MOVED_TO_TROUBLESHOOTING_QUEUE')
    })

    test('sees hidden characters of a name: marks that reverse text are written out', async () => {
      const turned = 'invoice\u202efdp.exe\u200b'
      const { commandId } = await stage.bus.send('hidden', 'Send', { file: turned }, { correlationId: turned })
      const { page } = await stage.visit(['AUDITOR'], `/commands/hidden/${commandId}`)
      await page.getByText('invoice\\u202Efdp.exe\\u200B', { exact: true }).first().waitFor()
      await page.getByRole('region', { name: 'Payload' }).first().waitFor()
      expect(await page.locator('body').innerText()).not.toMatch(/[\u202e\u200b]/)
      expect(await page.locator('body').innerText()).toContain('"file": "invoice\\u202Efdp.exe\\u200B"')
    })

    test('sees what caused what, also as one timeline', async () => {
      const first = await stage.bus.send('demo', 'TakeOrder', {}, { correlationId: 'story-1' })
      await stage.bus.send('demo', 'ShipIt', {}, { correlationId: 'story-1', causationId: first.commandId })
      const { page } = await stage.visit(['AUDITOR'], `/commands/demo/${first.commandId}`)
      await page.getByRole('link', { name: 'Causal view' }).click()
      await page.getByText('caused by TakeOrder').waitFor()
      expect(new URL(page.url()).search).toBe('?correlationId=story-1')
      const story = page.getByRole('region', { name: 'The whole story' })
      await story.getByText('ShipIt').first().waitFor()
      expect(await story.getByRole('listitem').first().textContent()).toContain('TakeOrder sent')
    })
  })

  test('an auditor of all tenants sees when the log was last verified, and what does not match', async () => {
    const { page } = await stage.visit(['AUDITOR', 'ADMIN'], '/audit?view=proof')
    await page.getByText('No round has finished since the service started').waitFor()
    const { commandId } = await stage.bus.send('demo', 'Tampered', {})
    await stage.bus.send('demo', 'Fine', {})
    const tamper = (owner: string | null) =>
      stage.pool.query('update command_bus_command set owner_id = $1 where command_id = $2', [owner, commandId])
    await tamper('eve')
    await stage.backgroundCheck.turn()
    await page.reload()
    await page.getByText('the row says owner_id "eve"').waitFor()
    await page
      .getByTestId('verified')
      .getByText(/ago|now/)
      .waitFor()
    await tamper(null)
    await stage.backgroundCheck.turn()
    await page.reload()
    await page.getByText('No problems found').waitFor()
  })

  test('an operator rehearses a retry, sees what it would do, and nothing has changed', async () => {
    const [id = ''] = await stage.park(1, 'Rehearsed', 'REHEARSE', { permanent: false, failTransientTimes: 1 })
    const { page } = await stage.visit(['OPERATOR'], `/commands/demo/${id}`)
    await page.getByRole('button', { name: 'Rehearse' }).click()
    await dialogOf(page).getByRole('button', { name: 'Rehearse 1 command' }).click()
    await dialogOf(page).locator('[data-testid=rehearsal][data-outcome=SUCCESS]').waitFor()
    expect(await dialogOf(page).textContent()).toContain('rolled back')
    expect(await stage.status(id)).toBe('IN_TROUBLESHOOTING_QUEUE')
    await dialogOf(page).getByRole('button', { name: 'Retry …' }).click()
    await dialogOf(page).getByRole('button', { name: 'Retry 1 command' }).click()
    await page.getByText('Completed', { exact: true }).first().waitFor()
  })
}
