import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Pool } from 'pg'
import { afterEach } from 'vitest'
import type { LiveEvent, LiveFilter } from '../../src/application/ports/reading/live-events.ts'
import type { LiveEvents } from '../../src/infrastructure/live/live-events.ts'
import { resumeAfter, type SseEnd, type SseOptions, writeEvents } from '../../src/infrastructure/live/sse.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Runs at the end of the test, the last first. */
export const atEnd = (close: () => Promise<void>): void => {
  closing.push(close)
}

export interface SseServer {
  readonly url: string
  readonly server: Server
  /** How each stream ended, in the order of their ends. */
  readonly ends: readonly SseEnd[]
}

/** A server with only the stream of events; the filter is in the query. */
export const serveSse = async (live: LiveEvents, options: SseOptions = {}): Promise<SseServer> => {
  const ends: SseEnd[] = []
  const server = createServer((request, response) => {
    const filter: LiveFilter = Object.fromEntries(new URL(request.url ?? '/', 'http://x').searchParams)
    const run = async (): Promise<void> => {
      const after = resumeAfter(request.headers['last-event-id'])
      ends.push(await writeEvents(response, await live.subscribe({ after, filter }), options))
    }
    run().catch(error => response.writeHead(400).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server, ends }
}

export interface Frame {
  readonly id?: string
  readonly event?: string
  readonly data?: LiveEvent
  readonly comment?: string
}

export const connect = (url: string, lastEventId?: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    get(url, { headers, agent: false }, resolve).on('error', reject)
  })

/** The frames of a response, as they come; ends with the connection, however it ends. */
export const frames = async function* (response: IncomingMessage): AsyncGenerator<Frame> {
  let text = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        yield frameOf(text.slice(0, end))
        text = text.slice(end + 2)
      }
    }
  } catch {
    // the connection broke: an incomplete frame does not count
  }
}

const frameOf = (text: string): Frame => {
  const fields = text.split('\n').map((line): [string, string] => {
    const colon = line.indexOf(': ')
    return colon === 0 ? ['comment', line.slice(2)] : [line.slice(0, colon), line.slice(colon + 2)]
  })
  const { data, ...rest } = Object.fromEntries(fields)
  return { ...rest, ...(data === undefined ? {} : { data: JSON.parse(data) }) }
}

/** The log in the feed's order, as the live stream should show it. */
export const logOf = async (pool: Pool, where = 'true'): Promise<readonly string[]> => {
  const { rows } = await pool.query(
    `select stream || '@' || revision || ' ' || type as line from command_bus_event where ${where} order by xid, position`,
  )
  return rows.map(row => row.line)
}

export const lineOf = (event: LiveEvent): string => `${event.stream}@${event.revision} ${event.type}`
