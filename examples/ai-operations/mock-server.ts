import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MockServer {
  readonly baseUrl: string
  readonly close: () => void
}

const questions = { questions: ['What is a lease?', 'When does a retry do harm?'] }
const feedback = { summary: 'Good on the whole.', strengths: ['clear'], improvements: ['give examples'] }

const complete = (answer: object) => (response: ServerResponse) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: JSON.stringify(answer) } }] }))
}
const refuse = (status: number) => (response: ServerResponse) => response.writeHead(status).end()

/** Not a model: answers the requests of `main.ts` with these in order; the last one repeats. */
const script = [refuse(503), refuse(500), complete(questions), refuse(402), complete(feedback)]

export const startMockServer = async (): Promise<MockServer> => {
  let requests = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => script[Math.min(requests++, script.length - 1)]?.(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
