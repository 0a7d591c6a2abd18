import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, configure, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { toast } from 'react-hot-toast/headless'
import { afterEach, beforeEach, vi } from 'vitest'
import { signIn, signOut } from '../../../web/src/api/session.ts'
import { Toasts } from '../../../web/src/app/Toasts.tsx'

// a busy machine is not a reason to fail: the test's own timeout ends the wait
configure({ asyncUtilTimeout: 30_000 })

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

type Reply = readonly [status: number, body: unknown]
type Answers = (asked: Asked) => Reply | Promise<Reply> | undefined

let answers: Answers = () => undefined
const requests: Asked[] = []
let rehearsable: Reply = [500, {}]

/** The domains in which the server knows the handlers; without it the server does not say. Not among the requests of the page. */
export const rehearsing = (domains: readonly string[]): void => {
  rehearsable = [200, { items: domains }]
}

/** The requests of the page so far. */
export const asked = (): readonly Asked[] => requests

/** What the server answers to a request below the base path; without an answer it is 404. */
export const answering = (next: Answers): void => {
  answers = next
}

export const problem = (status: number, code: string, detail: string, errors?: unknown): Reply => [
  status,
  { type: 'about:blank', title: '', status, code, detail, instance: '', ...(errors === undefined ? {} : { errors }) },
]

const base64 = (value: unknown): string => btoa(JSON.stringify(value)).replaceAll('=', '')

export const tokenFor = (roles: readonly string[], sub = 'jane@example.com', permissions?: unknown): string =>
  `${base64({ alg: 'HS256' })}.${base64({ sub, roles, permissions, exp: 4_102_444_800 })}.signature`

beforeEach(() => {
  requests.length = 0
  answers = () => undefined
  rehearsable = [500, {}]
  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const url = new URL(String(input), location.origin)
    const request = {
      method: init.method ?? 'GET',
      path: url.pathname.replace(/^\/api\/v1/, '') + url.search,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    }
    const isAside = request.path === '/troubleshooting/rehearsable'
    if (!isAside) requests.push(request)
    const [status, body] = isAside
      ? rehearsable
      : ((await answers(request)) ?? problem(404, 'NOT_FOUND', 'there is nothing there'))
    return new Response(JSON.stringify(body), { status })
  })
  history.replaceState(null, '', '/')
  signIn(tokenFor(['ADMIN', 'OPERATOR', 'USER', 'CUSTOMER_ADMIN']))
})

afterEach(() => {
  cleanup()
  toast.remove()
  signOut()
  localStorage.clear()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** Renders as a page does: with queries, and with messages about what was done. */
export const show = (ui: ReactNode) => {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const page = (content: ReactNode) => (
    <QueryClientProvider client={queries}>
      {content}
      <Toasts />
    </QueryClientProvider>
  )
  const view = render(page(ui))
  return { queries, again: (next: ReactNode) => view.rerender(page(next)) }
}

window.scrollTo = () => undefined

// jsdom has the element, but not as a modal dialog
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement): void {
  this.open = true
}
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement): void {
  this.open = false
}
