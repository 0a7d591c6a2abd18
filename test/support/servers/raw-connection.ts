import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import { until } from '../bus.ts'

/** A TCP connection to the server, for requests that no HTTP client makes. */
export interface RawConnection {
  readonly write: (text: string | Buffer) => void
  /** Ends the sending side. */
  readonly end: () => void
  /** Everything that the server has sent so far. */
  readonly said: () => string
  /** Resolves once the server has sent a match. */
  readonly heard: (pattern: RegExp) => Promise<string>
  /** Resolves with everything that the server has sent, once it has ended the connection. */
  readonly closed: Promise<string>
  readonly isOpen: () => boolean
}

export const rawConnection = async (url: string): Promise<RawConnection> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let said = ''
  let open = true
  socket.on('error', () => {})
  socket.on('data', data => {
    said += data.toString('latin1')
  })
  const closed = new Promise<string>(resolve =>
    socket.on('close', () => {
      open = false
      resolve(said)
    }),
  )
  onTestFinished(() => void socket.destroy())
  await new Promise(resolve => socket.once('connect', resolve))
  return {
    write: text => {
      if (open) socket.write(text)
    },
    end: () => void socket.end(),
    said: () => said,
    heard: pattern =>
      until(
        async () => said,
        text => pattern.test(text),
      ),
    closed,
    isOpen: () => open,
  }
}

/** The text of a request. */
export const rawRequest = (line: string, headers: Record<string, string> = {}, body = ''): string => {
  const lines = Object.entries({
    host: 'localhost',
    ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  })
  return `${line} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** Status and body of every answer in a server's output. */
export const answersIn = (
  said: string,
): readonly { readonly status: number; readonly head: string; readonly body: string }[] => {
  const answers: { status: number; head: string; body: string }[] = []
  for (let rest = said; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`this is no answer: ${rest.slice(0, 200)}`)
    const head = rest.slice(0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    answers.push({ status: Number(head.split(' ')[1]), head, body: rest.slice(end + 4, end + 4 + length) })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}
