import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

/** How the server treats one request. */
export type Reply = (response: ServerResponse, request: IncomingMessage) => void

export const never: Reply = () => {}
export const reset: Reply = (_, request) => request.socket.resetAndDestroy()
export const hangUp: Reply = (_, request) => request.socket.destroy()

/** An answer whose connection breaks in the middle. */
export const cutOff: Reply = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
  response.write('{"choices": [{"mess', () => response.destroy())
}

/** Starts an answer and never ends it. */
export const stall: Reply = response => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices": [')
}

export const says =
  (status: number, headers: { readonly [name: string]: string } = {}, text = '{"error": {"message": "no"}}'): Reply =>
  response =>
    response.writeHead(status, headers).end(text)

export const text = (body: string): Reply => says(200, { 'content-type': 'application/json' }, body)

/** A chat completion with this content. */
export const completes = (content: unknown): Reply =>
  text(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }))

export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
  /** Resolves when the connection is gone. */
  readonly gone: Promise<unknown>
}

const open: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** A real HTTP server that answers with these, in this order; the last one repeats. */
export const startServer = async (...replies: readonly Reply[]) => {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const reply = replies[Math.min(received.length, replies.length - 1)]
    const { method, url, headers, socket } = request
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    received.push({ method, url, headers, body, gone: new Promise(gone => socket.once('close', gone)) })
    reply?.(response, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  open.push(close)
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, received, close }
}
