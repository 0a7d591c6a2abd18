import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { rawRequest } from '../servers/raw-connection.ts'
import type { World } from './calls/call.ts'
import { tellsOf } from './judge.ts'
import type { Hostile } from './people.ts'

export interface RawAttack {
  readonly name: string
  readonly who: readonly Hostile[]
  /** The text that is sent at once; the connection then stays open. */
  readonly text: (world: World, headers: Readonly<Record<string, string>>) => string
  /** Reads nothing of the answer. */
  readonly deaf?: true
  /** Closes the connection after so many milliseconds. */
  readonly leavesAfter?: number
  /** The number of connections on which it is done at once. */
  readonly times?: number
}

const all = ['mallory', 'oscar', 'trudy'] as const
const readers = ['mallory', 'oscar'] as const
const events = (query: string, headers: Readonly<Record<string, string>>): string =>
  rawRequest(`GET /api/v1/events${query}`, headers)
const body = (
  headers: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>>,
  text: string,
): string =>
  `${rawRequest('POST /api/v1/domains/shop/commands', { ...headers, 'content-type': 'application/json', ...more })}${text}`

/** Attacks that no HTTP client would make. */
export const rawAttacks: readonly RawAttack[] = [
  { name: 'opens a connection and says nothing', who: all, text: () => '' },
  { name: 'sends half of a head', who: all, text: () => 'GET /api/v1/commands HTTP/1.1\r\nhost: x\r\nx-half: ' },
  {
    name: 'sends a body that never ends',
    who: all,
    text: (_, h) => body(h, { 'content-length': '900000' }, '{"commandType":"X",'),
  },
  {
    name: 'sends pieces that never end',
    who: all,
    text: (_, h) => body(h, { 'transfer-encoding': 'chunked' }, '5\r\n{"a":\r\n'),
  },
  {
    name: 'says two lengths',
    who: all,
    text: (_, h) =>
      body(
        h,
        { 'content-length': '5', 'transfer-encoding': 'chunked' },
        '0\r\n\r\nGET /api/v1/stats HTTP/1.1\r\nhost: x\r\n\r\n',
      ),
  },
  {
    name: 'speaks no HTTP',
    who: all,
    text: w =>
      w.of(['\u0000\u0001\u0002', 'HELO x\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /\r\n\r\n', '\r\n'.repeat(1_000)]),
  },
  {
    name: 'asks for another protocol',
    who: all,
    text: (w, h) =>
      rawRequest(w.of(['GET /api/v1/events', 'CONNECT x:80', 'PRI *', 'OPTIONS *']), {
        ...h,
        connection: 'Upgrade',
        upgrade: w.of(['websocket', 'h2c']),
      }),
  },
  {
    name: 'expects what nobody knows',
    who: all,
    text: (_, h) => body(h, { expect: 'a miracle', 'content-length': '2' }, '{}'),
  },
  {
    name: 'follows everything and reads nothing',
    who: readers,
    deaf: true,
    text: (_, h) => events('', { ...h, 'last-event-id': '0/0' }),
  },
  {
    name: 'follows everything from the beginning',
    who: readers,
    text: (_, h) => events('', { ...h, 'last-event-id': '0/0' }),
  },
  {
    name: 'follows with more readers than one may have',
    who: ['mallory'],
    times: 30,
    text: (_, h) => events('?domain=nowhere', h),
  },
  {
    name: 'follows what is of others',
    who: readers,
    text: (w, h) =>
      events(
        w.of([`?commandId=${w.others('commands')}`, `?run=${w.others('runs')}`, '?domain=shop', '?domain=workflow']),
        { ...h, 'last-event-id': '0/0' },
      ),
  },
  {
    name: 'follows from nowhere',
    who: readers,
    text: (w, h) =>
      events('', {
        ...h,
        'last-event-id': w.of(['-1/0', '99999999999999999999/99999999999999999999', "1/1' or", 'now', '0/0/0']),
      }),
  },
  {
    name: 'asks for all that there is and hangs up',
    who: readers,
    leavesAfter: 5,
    text: (_, h) => rawRequest('GET /api/v1/commands?limit=500', h),
  },
  {
    name: 'asks a hundred times at once and reads nothing',
    who: readers,
    deaf: true,
    text: (w, h) =>
      rawRequest(`GET /api/v1/${w.of(['stats', 'troubleshooting?limit=500', 'commands?limit=500'])}`, h).repeat(100),
  },
]

const MOST_OPEN = 80
const MOST_HEARD = 4_000_000

/** Holds the connections of these attacks, and checks the answers on them. */
export const createRawAttacker = (url: string, token: string) => {
  const open: Socket[] = []
  const faults: string[] = []
  let limited = 0
  const look = (name: string, said: string): void => {
    const told = tellsOf(said)
    if (told !== null) faults.push(`${name} ${told}`)
    const [, status] = /HTTP\/1\.1 (5\d\d)/.exec(said) ?? []
    if (status !== undefined && status !== '503') faults.push(`${name} is ${said.slice(0, 300)}`)
    if (said.includes('RATE_LIMITED')) limited++
  }
  return {
    faults,
    limited: () => limited,
    attack: async ({ name, text, deaf, leavesAfter }: RawAttack, world: World): Promise<void> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      open.push(socket)
      while (open.length > MOST_OPEN) open.shift()?.destroy()
      let said = ''
      socket.on('error', () => {})
      socket.on('close', () => {
        look(name, said)
        const at = open.indexOf(socket)
        if (at >= 0) open.splice(at, 1)
      })
      if (deaf) socket.pause()
      else {
        socket.on('data', data => {
          if (said.length < MOST_HEARD) said += data.toString()
        })
      }
      await new Promise<void>(resolve => socket.once('connect', resolve).once('close', resolve))
      socket.write(text(world, { authorization: `Bearer ${token}` }))
      if (leavesAfter !== undefined) {
        await delay(leavesAfter)
        socket.destroy()
      }
    },
    close: async (): Promise<void> => {
      const closed = open.map(socket => new Promise(resolve => socket.once('close', resolve)))
      for (const socket of [...open]) socket.destroy()
      await Promise.all(closed)
    },
  }
}

export type RawAttacker = ReturnType<typeof createRawAttacker>
