import { QueryClient } from '@tanstack/react-query'
import { render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { api } from '../../../web/src/api/client.ts'
import { createLive } from '../../../web/src/api/live.ts'
import { isOffline } from '../../../web/src/api/problem.ts'
import { Failed } from '../../../web/src/components/states.tsx'
import '../components/support.tsx'

const SOON_MS = 10_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Never answers; fails as `fetch` does when its signal is aborted. */
const silence = (signal: AbortSignal | null | undefined): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

test('a request that nobody answers fails within ten seconds, and the page says that the server does not answer', async () => {
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => silence(init.signal))
  const failed = api.getStats({}).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(SOON_MS)
  const error = await failed
  expect(isOffline(error)).toBe(true)
  render(<Failed error={error} />)
  expect(screen.getByRole('alert').textContent).toContain('The server does not answer')
})

test('a server that hangs while nothing is asked is noticed within ten seconds, and also that it answers again', async () => {
  let hangs = false
  const encoder = new TextEncoder()
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    if (hangs) return silence(init.signal)
    if (String(path).endsWith('/health/live')) return Promise.resolve(new Response('{}'))
    const body = new ReadableStream({
      start: controller => {
        controller.enqueue(encoder.encode(':\n\n'))
        init.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
      },
    })
    return Promise.resolve(new Response(body))
  })
  const live = createLive(new QueryClient())
  const stop = live.start()
  const mode = () => live.get().mode
  await vi.advanceTimersByTimeAsync(15_000)
  expect(mode()).toBe('live')
  hangs = true
  await vi.advanceTimersByTimeAsync(SOON_MS)
  expect(mode()).toBe('offline')
  hangs = false
  await vi.advanceTimersByTimeAsync(SOON_MS)
  expect(mode()).toBe('live')
  stop()
})
