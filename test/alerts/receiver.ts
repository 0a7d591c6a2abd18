import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

export const SECRET = 'a-secret-of-the-tests'

export interface Received {
  readonly id: string
  readonly body: { readonly text: string; readonly causes: readonly { readonly errorCode: string | null }[] }
}

type Answers = (received: Received, response: ServerResponse) => void | Promise<void>

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** A real receiver, which refuses what is not signed; `answers` may hold an answer back, or never give one. */
export const createReceiver = async () => {
  let answers: Answers = (_, response) => void response.writeHead(204).end()
  const received: Received[] = []
  const refused: string[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += chunk
    const [, seconds = '', sum = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header(request, 'commandbus-signature')) ?? []
    const expected = createHmac('sha256', SECRET).update(`${seconds}.${text}`).digest('hex')
    if (sum !== expected || Math.abs(Date.now() / 1000 - Number(seconds)) > 300) {
      refused.push(text)
      response.writeHead(401).end()
      return
    }
    const one = { id: header(request, 'idempotency-key'), body: JSON.parse(text) }
    received.push(one)
    await answers(one, response)
  }
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=in-the-address`,
    /** What arrived, with repetitions. */
    received,
    refused,
    answer: (next: Answers): void => {
      answers = next
    },
    ids: (): readonly string[] => [...new Set(received.map(({ id }) => id))],
  }
}

const header = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '')
