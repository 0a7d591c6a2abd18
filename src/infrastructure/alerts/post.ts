import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Post } from '../../application/ports/alerting/alert-store.ts'
import { InsecureAddressError, isLocalHost, LocalAddressError, publicLookup } from './addresses.ts'

export interface PostOptions {
  /** Whether http and addresses of private networks are allowed. */
  readonly allowLocal: boolean
  /** The longest wait for an answer. */
  readonly timeoutMs: number
  readonly version?: string
}

/** `t=<seconds since 1970>,v1=<HMAC-SHA256 in hex of "<t>.<body>">`. */
export const signatureOf = (secret: string, body: string, seconds: number): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`

/**
 * Sends webhooks. `node:https` instead of `fetch`, which cannot be given the lookup that refuses private addresses for the
 * very connection that is made.
 */
export const createPost =
  ({ allowLocal, timeoutMs }: PostOptions): Post =>
  async ({ url, secret }, id, body, signal) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const status = await send(new URL(url), {
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'commandbus-alerts',
          'idempotency-key': id,
          'commandbus-signature': signatureOf(secret, body, Math.floor(Date.now() / 1000)),
        },
        body,
        allowLocal,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      })
      if (status >= 200 && status < 300) return null
      const isRedirect = status >= 300 && status < 400
      return `the receiver answered ${status}${isRedirect ? ': redirects are not followed, set the address it names' : ''}`
    } catch (error) {
      return timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : whyNot(error)
    }
  }

interface Sending {
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
  readonly allowLocal: boolean
  readonly signal: AbortSignal
}

/** Gives the status of the answer. */
const send = async (url: URL, { headers, body, allowLocal, signal }: Sending): Promise<number> => {
  if (!allowLocal && isLocalHost(url)) throw new LocalAddressError()
  // it may have been set while the service allowed it
  if (!allowLocal && url.protocol !== 'https:') throw new InsecureAddressError()
  const request = url.protocol === 'http:' ? requestHttp : requestHttps
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', headers, signal, agent: false, ...(allowLocal ? {} : { lookup: publicLookup }) },
      answer => {
        resolve(answer.statusCode ?? 0)
        // the rest is let in and forgotten, at most until the time is up; nothing waits for it
        answer.on('error', () => {})
        answer.resume()
        answer.socket.unref()
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Names neither the address nor the secret, as a webhook's address may be a secret of its own. */
const whyNot = (error: unknown): string => {
  if (error instanceof LocalAddressError)
    return 'its address belongs to a private network, to which this service sends nothing: see COMMANDBUS_ALERTS_LOCAL'
  if (error instanceof InsecureAddressError)
    return 'its address is not https: set one that is, or see COMMANDBUS_ALERTS_LOCAL'
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return `the receiver could not be reached (${typeof code === 'string' ? code : 'no connection'})`
}
