import { PermanentCommandError, TransientCommandError } from 'commandbus'
import * as t from 'io-ts'
import { readText } from './read-text.ts'

export interface ChatOptions {
  /** Any service with OpenAI's protocol, like `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  readonly model: string
  /** Time for the whole answer. Default 30,000. */
  readonly deadlineMs?: number
}

export interface Message {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** Returns the text of the answer. @throws TransientCommandError, PermanentCommandError */
export type Chat = (messages: readonly Message[], signal: AbortSignal) => Promise<string>

const completion = t.type({ choices: t.array(t.type({ message: t.type({ content: t.string }) })) })

/** Errors hold nothing of the answer or the request: either could contain the API key. */
export const createChat = (options: ChatOptions): Chat => {
  const { model, deadlineMs = 30_000 } = options
  const url = endpointOf(options.baseUrl)
  const headers = headersOf(options.apiKey)

  return async (messages, signal) => {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), deadlineMs)
    const either = AbortSignal.any([signal, deadline.signal])
    try {
      const body = JSON.stringify({ model, messages, response_format: { type: 'json_object' } })
      const response = await fetch(url, { method: 'POST', headers, body, signal: either, redirect: 'manual' })
      if (!response.ok) {
        response.body?.cancel().catch(() => {})
        throw refusalOf(response)
      }
      return contentOf(await readText(response))
    } catch (error) {
      if (error instanceof PermanentCommandError || error instanceof TransientCommandError) throw error
      if (signal.aborted) throw stopped(signal.reason)
      if (deadline.signal.aborted) throw new TransientCommandError('TIMEOUT', `no answer within ${deadlineMs} ms`)
      throw new TransientCommandError('CONNECTION_FAILED', `the connection failed${systemCodeOf(error)}`)
    } finally {
      clearTimeout(timer)
    }
  }
}

export const unreadable = (why: string) => new PermanentCommandError('UNREADABLE_ANSWER', why)

const contentOf = (text: string): string => {
  const answer = jsonOf(text)
  const [first] = completion.is(answer) ? answer.choices : []
  if (first === undefined) throw unreadable('the answer is not a chat completion')
  return first.message.content
}

/** undefined when the text is not JSON. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Users are not made to wait longer than this. */
const SHORT_WAIT_S = 10

const refusalOf = ({ status, headers }: Response): Error => {
  const said = `the AI service answered ${status}`
  if (status >= 500) return new TransientCommandError('SERVER_ERROR', said, { status })
  if (status === 429) {
    const wait = secondsOf(headers.get('retry-after'))
    return wait <= SHORT_WAIT_S
      ? new TransientCommandError('RATE_LIMITED_SHORTLY', `${said} and asked to wait ${wait} s`, { status })
      : new PermanentCommandError('RATE_LIMITED', said, { status })
  }
  if (status === 401 || status === 403) return new PermanentCommandError('UNAUTHORIZED', said, { status })
  if (status === 402) return new PermanentCommandError('PAYMENT_REQUIRED', said, { status })
  if (status >= 400) return new PermanentCommandError('REFUSED', said, { status })
  return unreadable(`${said}, which is neither an answer nor an error`)
}

/** Retry-After is a number of seconds or a date; Infinity when it is neither. */
const secondsOf = (retryAfter: string | null): number => {
  const given = retryAfter?.trim() ?? ''
  if (/^\d+$/.test(given)) return Number(given)
  const until = Date.parse(given)
  return Number.isNaN(until) ? Number.POSITIVE_INFINITY : Math.max(0, Math.ceil((until - Date.now()) / 1000))
}

/** The worker aborted the handler: at the handler's own timeout, or because the worker stops. */
const stopped = (reason: unknown): Error =>
  reason instanceof TransientCommandError
    ? reason
    : new TransientCommandError('LEASE_LOST', 'the worker stopped before the answer was there')

/** Like `ECONNRESET`; the message of a failed fetch may hold a header, and is left out. */
const systemCodeOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ''
}

const endpointOf = (baseUrl: string): string => {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new Error('the base URL must be an http or https address without user and password')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/chat/completions${url.search}`
}

const headersOf = (apiKey: string | undefined): { readonly [name: string]: string } => {
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error('the API key must be visible ASCII characters, without spaces and line ends')
  }
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  }
}
