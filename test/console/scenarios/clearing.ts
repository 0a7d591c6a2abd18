import { describe, expect, test } from 'vitest'
import { dialogOf, rowOf, type Stage } from '../stage.ts'

const parkedAt = (id: string): string => `/commands/demo/${id}`
const until = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 60_000 })

export const clearing = (stage: Stage): void => {
  describe('an operator clears a parked command', () => {
    test('A1, A5: by a retry from the list, and sees it completed', async () => {
      const [id = ''] = await stage.park(1, 'ShipOrder', 'RETRY_ME', { permanent: false, failTransientTimes: 1 })
      const { page } = await stage.visit(['OPERATOR'], '/troubleshooting?view=list&errorCode=RETRY_ME')
      await rowOf(page, id).getByRole('checkbox').check()
      await page.getByRole('button', { name: 'Retry', exact: true }).click()
      expect(await dialogOf(page).getByTestId('target').textContent()).toContain(`ShipOrder in demo ${id}`)
      await dialogOf(page).getByRole('button', { name: 'Retry 1 command' }).click()
      await page.getByText('Sent again: it is pending now').waitFor()
      await page.getByText('Nothing here is in troubleshooting').waitFor()
      await until(() => stage.status(id)).toBe('COMPLETED')
    })

    test('with another payload: the command runs with it, and the audit keeps the difference', async () => {
      const [id = ''] = await stage.park(1, 'ShipOrder', 'EDIT_ME')
      const { page } = await stage.visit(['OPERATOR'], parkedAt(id))
      await page.getByRole('button', { name: 'Edit and retry' }).click()
      const box = dialogOf(page).getByLabel('Payload')
      await box.fill('{"order": 78, }')
      await dialogOf(page)
        .getByText(/line 1/)
        .waitFor()
      expect(await dialogOf(page).getByRole('button', { name: 'Retry with this payload' }).isDisabled()).toBe(true)
      await box.fill('{"order": 78}')
      await dialogOf(page).getByRole('button', { name: 'Retry with this payload' }).click()
      await page.getByText('Completed', { exact: true }).first().waitFor()
      expect(await page.getByRole('region', { name: 'Payload' }).first().textContent()).toContain('"order": 78')
      const audit = await stage.bus.getAuditTrail('demo', id)
      expect(audit.find(({ eventType }) => eventType === 'OPERATOR_RETRY')).toMatchObject({ actor: 'jane@example.com' })
    })

    test('A6, A7: by a cancel, whose reason goes to the sender', async () => {
      const [id = ''] = await stage.park(1, 'ShipOrder', 'CANCEL_ME')
      const { page } = await stage.visit(['OPERATOR'], parkedAt(id))
      await page.getByRole('button', { name: 'Cancel', exact: true }).click()
      const confirm = dialogOf(page).getByRole('button', { name: 'Cancel 1 command' })
      expect(await confirm.isDisabled()).toBe(true)
      await dialogOf(page).getByLabel('Reason (required)').fill('the customer has changed his mind')
      await confirm.click()
      await page.getByText('Canceled', { exact: true }).first().waitFor()
      await page.getByText('was sent to').waitFor()
      expect(await page.getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0)
      await page.getByRole('region', { name: 'Timeline' }).getByText('Operator cancel').waitFor()
      expect(await stage.status(id)).toBe('CANCELED')
    })

    test('A9: by completing it with a result', async () => {
      const [id = ''] = await stage.park(1, 'ShipOrder', 'COMPLETE_ME')
      const { page } = await stage.visit(['OPERATOR'], parkedAt(id))
      await page.getByRole('button', { name: 'Complete' }).click()
      await dialogOf(page).getByLabel('Result (JSON)').fill('{"shipped": "by hand"}')
      await dialogOf(page).getByLabel('Reason (required)').fill('settled by hand')
      await dialogOf(page).getByRole('button', { name: 'Complete 1 command' }).click()
      await page.getByRole('region', { name: 'Result' }).getByText('"by hand"').first().waitFor()
      expect(await stage.bus.getCommand('demo', id)).toMatchObject({
        status: 'COMPLETED',
        result: { shipped: 'by hand' },
      })
    })

    test('A5: of two operators one succeeds, and the other gets a friendly message', async () => {
      const [id = ''] = await stage.park(1, 'ShipOrder', 'TWO_OPERATORS')
      const ann = await stage.visit(['OPERATOR'], parkedAt(id), { sub: 'ann@example.com' })
      const bob = await stage.visit(['OPERATOR'], parkedAt(id), { sub: 'bob@example.com' })
      await bob.page.getByRole('button', { name: 'Complete' }).click()
      await ann.page.getByRole('button', { name: 'Cancel', exact: true }).click()
      await dialogOf(ann.page).getByLabel('Reason (required)').fill('Ann was first')
      await dialogOf(ann.page).getByRole('button', { name: 'Cancel 1 command' }).click()
      await ann.page.getByText('Canceled', { exact: true }).first().waitFor()
      // Bob's page has noticed by itself; his dialog is still there
      await bob.page.getByText('Canceled', { exact: true }).first().waitFor()
      await dialogOf(bob.page).getByLabel('Reason (required)').fill('settled by hand')
      await dialogOf(bob.page).getByRole('button', { name: 'Complete 1 command' }).click()
      const alert = dialogOf(bob.page).getByRole('alert')
      await alert.waitFor()
      expect(await dialogOf(bob.page).getByRole('button', { name: 'Complete 1 command' }).isDisabled()).toBe(true)
      expect(await alert.textContent()).toMatch(/Somebody was faster: .*CANCELED.*not in troubleshooting.*What to do:/)
      await dialogOf(bob.page).getByRole('button', { name: 'Close', exact: true }).click()
      await bob.page.getByRole('region', { name: 'Timeline' }).getByText('by ann@example.com').waitFor()
      expect(await stage.status(id)).toBe('CANCELED')
    })
  })
}
