import { afterEach, expect, test, vi } from 'vitest'
import { api } from '../../../web/src/api/client.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

test('for a minute after an action lists are asked for without a replica, whose answer may not show it yet', async () => {
  const sent: (string | null)[] = []
  vi.stubGlobal('fetch', async (_: string, init: RequestInit = {}) => {
    if ((init.method ?? 'GET') === 'GET') sent.push(new Headers(init.headers).get('cache-control'))
    return new Response('{}')
  })
  const now = vi.spyOn(performance, 'now').mockReturnValue(1_000)
  await api.listParked()
  await api.retryCommand({ params: { domain: 'payments', commandId: 'x' }, body: {} })
  await api.listParked()
  now.mockReturnValue(60_999)
  await api.listParked()
  now.mockReturnValue(61_000)
  await api.listParked()
  expect(sent).toEqual([null, 'no-cache', 'no-cache', null])
})
