import type { EventEmitter } from 'node:events'
import pg, { type Client, type ClientConfig } from 'pg'
import { isConnectionError } from './errors.ts'

/** What one try differs in from the others. */
export type Way = Pick<ClientConfig, 'host' | 'port' | 'ssl'>

export interface InTurnOptions {
  /** At least one; all of them are tried before a connection fails. */
  readonly ways: readonly Way[]
  /** Pass over servers that are standbys or read-only. */
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

/** The server is there and turns everybody away for now, or is a standby, or has no TLS, or nothing but that. */
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
 * A class of clients that try several hosts, or the same with and without encryption, one after another. The way that led
 * to a connection last is tried first by the next client.
 */
export const clientInTurn = ({ ways, writable }: InTurnOptions): typeof Client => {
  let first = 0
  const make = (config: ClientConfig, way: number): Client => {
    const limit = config.connectionTimeoutMillis ?? 0
    return new pg.Client({
      ...config,
      // a pool hides it from being listed
      ...(config.password === undefined ? {} : { password: config.password }),
      ...ways[way],
      // a pool gives up after as long as one client may take
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
      // others hear of its errors from now on, or the process does
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

  return class {
    constructor(config?: ClientConfig) {
      // biome-ignore lint/correctness/noConstructorReturn: which client it is shows when it is connected
      return construct(config) as never
    }
  } as unknown as typeof Client
}

/** A server that answered says more than one that did not. */
const isWorse = (known: unknown, error: unknown): boolean =>
  known !== undefined && !isConnectionError(known) && isConnectionError(error)
