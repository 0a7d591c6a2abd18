import { connect, type Socket } from 'node:net'
import type { ClientBase } from 'pg'

/** What a client of `pg` has besides what its types tell; another kind of client may lack all of it. */
interface ClientParts {
  readonly host?: string
  readonly port?: number
  readonly processID?: number | null
  readonly secretKey?: number | null
  readonly connection?: { readonly stream?: Socket }
  readonly end?: () => Promise<void>
  /** Statements that were not sent, and those that were sent ahead of their turn. */
  readonly _queryQueue?: object[]
  readonly _sentQueryQueue?: readonly object[]
  /** The one that the server is at. */
  readonly _activeQuery?: object | null
}

const CANCEL_REQUEST = 80_877_102
const CANCEL_WITHIN_MS = 5_000
/** How long the server may take to close a connection that says goodbye. */
const END_WITHIN_MS = 2_000
/** A peer that is gone is noticed so long after its last word, and some ten seconds. */
const KEEPALIVE_AFTER_MS = 10_000

const partsOf = (client: ClientBase): ClientParts => client as unknown as ClientParts

/** The statement that a client was given last; to be asked at once. */
export const lastStatement = (client: ClientBase): object | null => {
  const { _queryQueue: waiting, _sentQueryQueue: sent, _activeQuery: active } = partsOf(client)
  return waiting?.at(-1) ?? sent?.at(-1) ?? active ?? null
}

/**
 * Nobody waits for this statement any more. One that is behind others on its connection is never sent; another is
 * ended by the server, as it may wait for a lock that is never given. Others on the connection are left alone.
 */
export const giveUpStatement = (client: ClientBase, statement: object | null): void => {
  const { _queryQueue: waiting, _activeQuery: active } = partsOf(client)
  const at = statement === null ? -1 : (waiting?.indexOf(statement) ?? -1)
  if (at >= 0) waiting?.splice(at, 1)
  else if (active === statement || statement === null) cancelStatement(client)
}

/** Asks the server to end what a connection is at. As the protocol has it on one of its own; whether it works is not told. */
const cancelStatement = (client: ClientBase): void => {
  const { host, port, processID, secretKey } = partsOf(client)
  if (host === undefined || port === undefined || typeof processID !== 'number' || typeof secretKey !== 'number') return
  const request = Buffer.alloc(16)
  for (const [i, word] of [16, CANCEL_REQUEST, processID, secretKey].entries()) request.writeInt32BE(word, 4 * i)
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  socket.on('error', () => {})
  socket.on('connect', () => socket.end(request))
  socket.setTimeout(CANCEL_WITHIN_MS, () => socket.destroy())
  socket.unref()
}

/** Ends a connection of ours at once; whatever waits on it fails. */
export const destroy = (client: ClientBase): void => {
  // said first, so that the end is not an error of its own
  partsOf(client)
    .end?.()
    .catch(() => {})
  partsOf(client).connection?.stream?.destroy()
}

/** Cuts connections that the server has not closed a while after it was told goodbye: they would keep the process. */
export const cutSoon = (clients: Iterable<ClientBase>): void => {
  const left = [...clients]
  if (left.length > 0) setTimeout(() => left.forEach(destroy), END_WITHIN_MS).unref()
}

/** Says goodbye, and cuts the connection when nothing comes back. */
export const endInTime = async (client: ClientBase): Promise<void> => {
  const timer = setTimeout(() => destroy(client), END_WITHIN_MS)
  try {
    await partsOf(client).end?.()
  } finally {
    clearTimeout(timer)
  }
}

/** Lets the system notice that the peer goes while a statement runs, where no time limit does. */
export const keepAlive = (client: ClientBase): void => {
  partsOf(client).connection?.stream?.setKeepAlive?.(true, KEEPALIVE_AFTER_MS)
}
