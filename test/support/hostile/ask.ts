import { Agent, request } from 'node:http'

export interface Ask {
  readonly method: string
  /** The path as it is sent; relative to the API's base path unless it begins with `//`. */
  readonly path: string
  /** A text or bytes are sent unchanged; anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces the caller's own header. */
  readonly authorization?: string
}

export interface Answered {
  /** 0: the connection was cut. */
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly ms: number
}

export const createAsker = (url: string, token: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const { hostname, port } = new URL(url)
  const once = ({ method, path, body, headers = {}, authorization = `Bearer ${token}` }: Ask): Promise<Answered> =>
    new Promise(resolve => {
      const began = performance.now()
      const bytes =
        body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
      const end = (status: number, given: object, text: string): void =>
        resolve({ status, headers: { ...given }, text, ms: performance.now() - began })
      const sent = request(
        {
          agent,
          hostname,
          port,
          method,
          path: path.startsWith('//') ? path.slice(1) : `/api/v1${path}`,
          headers: {
            authorization,
            ...(bytes === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }),
            ...headers,
          },
        },
        response => {
          const parts: Buffer[] = []
          response.on('data', part => parts.push(part))
          response.on('close', () =>
            response.complete
              ? end(response.statusCode ?? 0, response.headers, Buffer.concat(parts).toString())
              : end(0, {}, 'the answer was cut'),
          )
        },
      )
      sent.on('error', error => end(0, {}, error.message))
      sent.end(bytes)
    })
  return { ask: once, close: () => agent.destroy() }
}

export type Asker = ReturnType<typeof createAsker>
