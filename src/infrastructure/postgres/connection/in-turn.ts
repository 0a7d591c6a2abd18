import type { EventEmitter } from 'node:events'
import pg, { type Client, type ClientConfig } from 'pg'
import { isConnectionError } from './errors.ts'

/** The settings that differ between tries. */
export type Way = Pick<ClientConfig, 'host' | 'port' | 'ssl'>

export interface InTurnOptions {
  /** At least one; all of them are tried before a connection fails. */
  readonly ways: readonly Way[]
  /** Skip servers that are standbys or read-only. */
  readonly writable: boolean
}

interface Listening {
  readonly kind: 'on' | 'once'
  readonly event: string | symbol
  readonly listener: (...args: unknown[]) => void
}

const attach = (emitter: EventEmitter, { kind, event, listener }: Listening): void =>
  void emitter[kind](event, listener)

type Done = (error?: Error | null) => void

/** The next way may work: the server is down or full, is a standby, has no TLS, or takes nothing but TLS. */
const isForTheNext = (error: unknown): boolean => {
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  return (
    isConnectionError(error) ||
    code === '25006' ||
    code?.startsWith('53') === true ||
    (code === '28000' && / no encryption|SSL /.test(message ?? '')) ||
    /^E[A-Z]+$/.test(code ?? '') ||
    message === 'The server does not support SSL connections'
  )
}

const assertWritable = async (client: Client): Promise<void> => {
  const { rows } = await client.query(
    `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool as readonly`,
  )
  if (String(rows[0]?.readonly).startsWith('t')) {
    throw Object.assign(new Error('none of the hosts accepts writes'), { code: '25006' })
  }
}

/**
 * Makes a class of clients that try several ways one after another: hosts, or one host with and without encryption. The
 * next client begins with the way that worked last.
 */
export const clientInTurn = ({ ways, writable }: InTurnOptions): typeof Client => {
  let first = 0
  const make = (config: ClientConfig, way: number): Client => {
    const limit = config.connectionTimeoutMillis ?? 0
    return new pg.Client({
      ...config,
      // a pool makes it non-enumerable
      ...(config.password === undefined ? {} : { password: config.password }),
      ...ways[way],
      // the time limit of a pool has to cover all tries of one client
      ...(limit === 0 ? {} : { connectionTimeoutMillis: Math.max(500, Math.floor((limit * 0.9) / ways.length)) }),
    })
  }

  const construct = (config: ClientConfig = {}): Client => {
    const order = ways.map((_, i) => (first + i) % ways.length)
    let client = make(config, first)
    let ended = false
    const listeners: Listening[] = []

    const tryOne = async (way: number): Promise<void> => {
      const ignore = (): void => {}
      client.on('error', ignore)
      try {
        await client.connect()
        if (writable && ways.length > 1) await assertWritable(client)
      } catch (error) {
        client.end().catch(ignore)
        throw error
      }
      first = way
      for (const listening of listeners) attach(client, listening)
      // from now on an error that its user does not listen for ends the process
      client.off('error', ignore)
    }

    const connect = async (): Promise<void> => {
      let last: unknown
      for (const [tries, way] of order.entries()) {
        if (ended) break
        if (tries > 0) client = make(config, way)
        try {
          return await tryOne(way)
        } catch (error) {
          last = isWorse(last, error) ? last : error
          if (!isForTheNext(error)) throw error
        }
      }
      throw last ?? new Error('Connection terminated')
    }

    let connected = false
    const methods: Readonly<Record<string, unknown>> = {
      connect: (done?: Done): Promise<void> | undefined => {
        const connecting = connect().then(() => {
          connected = true
        })
        if (done === undefined) return connecting
        connecting.then(() => done(null), done)
        return undefined
      },
      end: (done?: Done) => {
        ended = true
        return done === undefined ? client.end() : client.end(done as never)
      },
    }
    const listening = (kind: Listening['kind']) => (event: string | symbol, listener: Listening['listener']) => {
      if (connected) attach(client, { kind, event, listener })
      else listeners.push({ kind, event, listener })
      return facade
    }
    const own: Readonly<Record<string, unknown>> = { ...methods, on: listening('on'), once: listening('once') }
    const facade: Client = new Proxy(client, {
      get: (_, key) => {
        if (typeof key === 'string' && Object.hasOwn(own, key)) return own[key]
        const value = Reflect.get(client, key, client)
        return typeof value === 'function' ? value.bind(client) : value
      },
      set: (_, key, value) => Reflect.set(client, key, value, client),
    })
    return facade
  }

  return new Proxy(pg.Client, { construct: (_, [config]) => construct(config) })
}

/** The error of a server that answered is worth more than that of one that did not. */
const isWorse = (known: unknown, error: unknown): boolean =>
  known !== undefined && !isConnectionError(known) && isConnectionError(error)
