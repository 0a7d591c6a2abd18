import { describe, expect, test } from 'vitest'
import { dialogOf, type Stage } from '../stage.ts'

export const access = (stage: Stage): void => {
  test('all of the console is less than 300 kB for a browser that takes gzip', async () => {
    const sizes = await Promise.all([...stage.files.values()].map(async file => (await file.body('gzip')).length))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000)
  })

  test('R9: the console brings the licences of the packages in it', async () => {
    const licences = String(await stage.files.get('/licences.md')?.body('identity'))
    const names = [...licences.matchAll(/^## (\S+) - \S+ \(\S+\)$/gm)].map(([, name]) => name)
    expect(names).toEqual(expect.arrayContaining(['react', 'react-dom', '@tanstack/react-query', 'lucide-react']))
  })

  describe('signing in', () => {
    test('the link signs in and leaves no token in the address; a reload stays signed in, a new window does not', async () => {
      const { page, context } = await stage.visit(['OPERATOR'], '/commands?status=FAILED')
      expect(page.url()).toBe(`${stage.url}/commands?status=FAILED`)
      await page.reload()
      await page.getByRole('heading', { name: 'Commands', level: 1 }).waitFor()
      const other = await context.newPage()
      await other.goto(stage.url)
      await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    })

    test('a link asks before it replaces a signed-in user, in an open page and on load; the token is removed from address and history', async () => {
      const { page } = await stage.visit(['OPERATOR'], '/commands?status=FAILED', { sub: 'jane@example.com' })
      const signedInAs = (sub: string) => page.getByRole('button', { name: `Signed in as ${sub}` })
      const link = async (sub: string) => `#token=${await stage.served.token(['OPERATOR'], { sub })}`
      const asked = dialogOf(page)
      /** The addresses of this page's history, one back and here. */
      const noTokenInHistory = async () => {
        const here = page.url()
        await page.goBack()
        const before = page.url()
        await page.goForward()
        expect([before, here, page.url()].filter(url => url.includes('token'))).toEqual([])
      }

      await page.goto(`${page.url()}${await link('mallory@example.com')}`)
      await asked.getByText('Sign in as mallory@example.com instead of jane@example.com?').waitFor()
      expect(page.url()).toBe(`${stage.url}/commands?status=FAILED`)
      await signedInAs('jane@example.com').waitFor()
      await asked.getByRole('button', { name: 'Stay jane@example.com' }).click()
      await asked.waitFor({ state: 'detached' })
      await noTokenInHistory()
      await signedInAs('jane@example.com').waitFor()

      // another address, so that the page is reloaded
      await page.goto(`${stage.url}/?from=mail${await link('mallory@example.com')}`)
      await asked.getByText('Sign in as mallory@example.com instead of jane@example.com?').waitFor()
      expect(page.url()).toBe(`${stage.url}/?from=mail`)
      await page.keyboard.press('Escape')
      await asked.waitFor({ state: 'detached' })
      await page.reload()
      await signedInAs('jane@example.com').waitFor()
      expect(await asked.count()).toBe(0)

      await page.goto(`${page.url()}${await link('ann@example.com')}`)
      await asked.getByRole('button', { name: 'Sign in as ann@example.com' }).click()
      await signedInAs('ann@example.com').waitFor()
      await asked.waitFor({ state: 'detached' })
      expect(page.url()).toBe(`${stage.url}/?from=mail`)
      await page.reload()
      await signedInAs('ann@example.com').waitFor()
    })

    test('a token that the server does not know is refused with a reason; a valid one continues on the same page', async () => {
      const { page } = await stage.stranger()
      await page.goto(`${stage.url}/commands#token=cut.off.in-a-mail`)
      await page.getByText('The link has no readable token').waitFor()
      expect(page.url()).toBe(`${stage.url}/commands`)
      await page.getByLabel('Token').fill('nonsense')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('This is not a token').waitFor()
      const good = await stage.served.token(['OPERATOR'])
      await page.getByLabel('Token').fill(`${good.slice(0, -4)}AAAA`)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('The server does not accept this token').waitFor()
      await page.getByLabel('Token').fill(`${stage.url}/#token=${good}`)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Commands', level: 1 }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('You are signed out').waitFor()
    })

    test('shows who is signed in and what they may do', async () => {
      const { page } = await stage.visit(['AUDITOR'], '/', { sub: 'ada@example.com', tenant: 't1' })
      await page.getByRole('button', { name: 'Signed in as ada@example.com' }).click()
      const sheet = page.getByRole('dialog')
      expect(await sheet.textContent()).toMatch(/ada@example\.com.*t1.*AUDITOR/)
      expect(await sheet.getByText('No:').count()).toBeGreaterThan(0)
    })
  })

  test('a viewer without rights sees what is parked and is offered no action on it', async () => {
    const [id = ''] = await stage.park(1, 'ShipOrder', 'LOOK_ONLY')
    const { page } = await stage.visit(['AUDITOR'], '/troubleshooting')
    await page.getByText('LOOK_ONLY').waitFor()
    const offered = page.getByRole('button', { name: /^(Retry|Edit and retry|Complete|Cancel|Rehearse)/ })
    expect(await offered.count()).toBe(0)
    await page.goto(`${stage.url}/troubleshooting?view=list&errorCode=LOOK_ONLY`)
    await page.getByText(id).waitFor()
    expect([await page.getByRole('checkbox').count(), await offered.count()]).toEqual([0, 0])
    await page.getByRole('link', { name: 'ShipOrder' }).click()
    await page.getByRole('region', { name: 'Timeline' }).getByText('Moved to troubleshooting queue').waitFor()
    expect(await offered.count()).toBe(0)
  })
}
