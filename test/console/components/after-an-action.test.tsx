import { afterEach, expect, test, vi } from 'vitest'
import { api } from '../../../web/src/api/client.ts'

afterEach(() => {
  localStorage.clear()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

test('for a minute after an action lists are asked for without a replica, whose answer may not show it yet', async () => {
  const sent: (string | null)[] = []
  vi.stubGlobal('fetch', async (_: string, init: RequestInit = {}) => {
    if ((init.method ?? 'GET') === 'GET') sent.push(new Headers(init.headers).get('cache-control'))
    return new Response('{}')
  })
  const now = vi.spyOn(Date, 'now').mockReturnValue(1_000_000)
  await api.listParked()
  await api.retryCommand({ params: { domain: 'payments', commandId: 'x' }, body: {} })
  await api.listParked()
  now.mockReturnValue(1_059_999)
  // also after the page was loaded again
  vi.resetModules()
  const { api: reloaded } = await import('../../../web/src/api/client.ts')
  await reloaded.listParked()
  now.mockReturnValue(1_060_000)
  await api.listParked()
  expect(sent).toEqual([null, 'no-cache', 'no-cache', null])
})
