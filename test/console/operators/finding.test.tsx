import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { DownloadCsv } from '../../../web/src/components/lists/DownloadCsv.tsx'
import { SavedViews } from '../../../web/src/components/lists/SavedViews.tsx'
import { CommandsPage } from '../../../web/src/pages/commands/CommandsPage.tsx'
import { SearchPage } from '../../../web/src/pages/search/SearchPage.tsx'
import { Groups } from '../../../web/src/pages/troubleshooting/causes/Groups.tsx'
import { OwedPage } from '../../../web/src/pages/troubleshooting/OwedPage.tsx'
import { answering, asked, show } from '../components/support.tsx'

const ID = '00000000-0000-4000-8000-000000000001'
const command = {
  domain: 'payments',
  commandId: ID,
  commandType: 'Charge',
  status: 'PENDING',
  attempts: 0,
  maxAttempts: 3,
  correlationId: 'c',
  lastErrorCode: null,
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:04:05.678Z',
}
const empty = { items: [], nextCursor: null }

test('O6: the page of owed replies says how many wait, since when, and who waits too long', async () => {
  answering(() => [
    200,
    {
      items: [
        { ...command, tenantId: null, runAt: null, replyTo: 'shop_replies', since: command.createdAt, late: true },
      ],
      nextCursor: null,
      total: 12,
      late: 3,
      oldest: command.createdAt,
      lateAfterSeconds: 3_600,
    },
  ])
  history.replaceState(null, '', '/troubleshooting/owed?late=true')
  show(<OwedPage />)
  await screen.findByText(/12 replies owed, 3 for more than 1 h/)
  expect(await screen.findAllByText('shop_replies')).not.toHaveLength(0)
  expect(screen.getAllByText('Late')).not.toHaveLength(0)
  expect(asked()[0]?.path).toBe('/replies/owed?limit=50&late=true')
})

test('O7: the search shows only sections with a result: here a payload, a beginning of an id and a failure', async () => {
  answering(({ path }) => {
    if (path.startsWith('/search/paths')) return [200, { items: [{ path: 'orderId' }] }]
    if (path.includes('payload=') || path.includes('idPrefix=')) return [200, { ...empty, items: [command] }]
    if (path.startsWith('/troubleshooting')) return [200, { ...empty, total: 0 }]
    return [200, empty]
  })
  history.replaceState(null, '', '/search?q=00000000')
  show(<SearchPage />)
  await screen.findByText('With this value in the payload')
  await screen.findByText('Whose id begins so')
  expect(screen.queryByText('With this correlation id')).toBeNull()
  expect(screen.queryByText('In troubleshooting')).toBeNull()
  expect(asked().map(({ path }) => path)).toContain('/commands?limit=20&payload=*%3A00000000')
  expect(asked().some(({ path }) => path.includes('status=FAILED&message=00000000'))).toBe(true)
})

test('O7: a search without any result says what can be searched for', async () => {
  answering(({ path }) => (path.startsWith('/troubleshooting') ? [200, { ...empty, total: 0 }] : [200, empty]))
  history.replaceState(null, '', '/search?q=nothing')
  show(<SearchPage />)
  await screen.findByText('Nothing found')
  expect(screen.queryByRole('table')).toBeNull()
})

test('O7: filters are kept under a name, shared or not, and applied with times of now', async () => {
  const view = {
    list: 'commands',
    filter: { status: 'FAILED', createdAfter: '-1h' },
    updatedBy: 'tom',
    updatedAt: command.createdAt,
  }
  let views = [{ ...view, name: 'Failed lately', shared: true }]
  answering(({ method, body }) => {
    if (method === 'PUT')
      views = [...views, { ...view, name: 'Mine', shared: (body as { shared?: boolean }).shared === true }]
    if (method === 'DELETE') views = views.filter(({ name }) => name === 'Mine')
    return [200, method === 'GET' ? { items: views } : views[0]]
  })
  history.replaceState(null, '', '/commands?status=PENDING&domain=payments&cursor=abc')
  show(<SavedViews list="commands" path="/commands" names={['status', 'domain', 'createdAfter']} />)
  const link = await screen.findByRole('link', { name: 'Failed lately' })
  const after = new URLSearchParams(link.getAttribute('href')?.split('?')[1]).get('createdAfter')
  expect(Math.abs(Date.parse(after ?? '') - (Date.now() - 3_600_000))).toBeLessThan(60_000)
  expect(screen.getByRole('link', { name: 'Waiting for retry' }).getAttribute('href')).toBe('/commands?retrying=true')

  await userEvent.click(screen.getByRole('button', { name: 'Save these filters' }))
  await userEvent.type(screen.getByLabelText('Name of the view'), 'Mine')
  await userEvent.click(screen.getByLabelText('Shared'))
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  await screen.findByRole('link', { name: 'Mine' })
  expect(asked().find(({ method }) => method === 'PUT')).toEqual({
    method: 'PUT',
    path: '/views/Mine',
    body: { list: 'commands', filter: { status: 'PENDING', domain: 'payments' }, shared: true },
  })
  await userEvent.click(screen.getByRole('button', { name: 'Delete view Failed lately' }))
  await waitFor(() => expect(screen.queryByRole('link', { name: 'Failed lately' })).toBeNull())
  expect(asked().find(({ method }) => method === 'DELETE')?.path).toBe('/views/Failed%20lately?shared=true')
})

test('O7: a list is downloaded through all its pages, with the filters of the address and one line of names', async () => {
  const pages: string[] = []
  vi.stubGlobal('fetch', async (input: URL, init: RequestInit) => {
    pages.push(`${input.pathname}${input.search} ${new Headers(init.headers).get('accept')}`)
    const link =
      pages.length === 1 ? { link: '</api/v1/commands?status=FAILED&limit=500&cursor=next>; rel="next"' } : undefined
    return new Response(`a,b\r\n${pages.length},"x\r\ny"\r\n`, {
      status: 200,
      ...(link === undefined ? {} : { headers: link }),
    })
  })
  const files: string[] = []
  vi.stubGlobal(
    'URL',
    Object.assign(URL, {
      createObjectURL: (blob: Blob) => files.push(String(blob.size)) && 'blob:x',
      revokeObjectURL: () => {},
    }),
  )
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    files.push(this.download)
  })
  history.replaceState(null, '', '/commands?status=FAILED&view=list&cursor=old')
  show(<DownloadCsv list="listCommands" name="commands" />)
  await userEvent.click(screen.getByRole('button', { name: 'Download CSV' }))
  await waitFor(() => expect(files).toContain('commands.csv'))
  click.mockRestore()
  expect(pages).toEqual([
    '/api/v1/commands?status=FAILED&limit=500 text/csv',
    '/api/v1/commands?status=FAILED&limit=500&cursor=next text/csv',
  ])
  // the names once, and a row of each page
  expect(files[0]).toBe(String('a,b\r\n1,"x\r\ny"\r\n2,"x\r\ny"\r\n'.length))
})

test('O7: causes can be sorted by the newest', async () => {
  const group = {
    domain: 'payments',
    commandType: 'Charge',
    count: 9,
    first: command.createdAt,
    sample: null,
    frame: null,
    care: null,
  }
  answering(() => [
    200,
    {
      items: [
        { ...group, key: 'a', errorCode: 'OLD', last: '2026-01-02T00:00:00.000Z' },
        { ...group, key: 'b', errorCode: 'NEW', count: 1, last: '2026-01-03T00:00:00.000Z' },
      ],
    },
  ])
  history.replaceState(null, '', '/troubleshooting')
  show(<Groups />)
  const codes = () => screen.getAllByRole('heading', { level: 2 }).map(({ textContent }) => textContent)
  await screen.findByText('OLD')
  expect(codes()).toEqual(['OLD', 'NEW'])
  await userEvent.selectOptions(screen.getByLabelText('Order'), 'newest')
  expect(codes()).toEqual(['NEW', 'OLD'])
  expect(location.search).toBe('?sort=newest')
})

test('A30: a click on a title sorts a list, another one the other way, and says so; the page begins anew', async () => {
  history.replaceState(null, '', '/commands?cursor=x')
  answering(({ path }) => [
    200,
    { items: path.startsWith('/search/paths') ? [] : [command], nextCursor: null, domains: [] },
  ])
  show(<CommandsPage />)
  const sent = await screen.findByRole('button', { name: 'Sent' })
  expect(sent.closest('th')?.getAttribute('aria-sort')).toBe('descending')
  await userEvent.click(sent)
  expect(location.search).toBe('?sort=oldest')
  await screen.findByText(/1 command, oldest first/)
  expect(asked().map(({ path }) => path)).toContain('/commands?limit=50&sort=oldest')
  await userEvent.click(screen.getByRole('button', { name: 'Sent' }))
  expect(location.search).toBe('')
})
