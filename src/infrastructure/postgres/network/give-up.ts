import { connect, type Socket } from 'node:net'
import type { ClientBase } from 'pg'

/** Members of a `pg` client that its types do not declare; another kind of client may lack all of them. */
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
  /** The statement that the server runs now. */
  readonly _activeQuery?: object | null
}

const CANCEL_REQUEST = 80_877_102
const CANCEL_WITHIN_MS = 5_000
/** How long the server may take to close a connection after the client asked to end it. */
const END_WITHIN_MS = 2_000
/** A lost peer is noticed this long after its last message, plus some ten seconds. */
const KEEPALIVE_AFTER_MS = 10_000

const partsOf = (client: ClientBase): ClientParts => client as unknown as ClientParts

/** The statement that a client was given last. Call it right after giving the statement. */
export const lastStatement = (client: ClientBase): object | null => {
  const { _queryQueue: waiting, _sentQueryQueue: sent, _activeQuery: active } = partsOf(client)
  return waiting?.at(-1) ?? sent?.at(-1) ?? active ?? null
}

/**
 * Gives up a statement whose caller no longer waits. If it is queued behind others on its connection, it is never sent;
 * if it runs, the server cancels it, as it may wait for a lock for ever. Other statements of the connection go on.
 */
export const giveUpStatement = (client: ClientBase, statement: object | null): void => {
  const { _queryQueue: waiting, _activeQuery: active } = partsOf(client)
  const at = statement === null ? -1 : (waiting?.indexOf(statement) ?? -1)
  if (at >= 0) waiting?.splice(at, 1)
  else if (active === statement || statement === null) cancelStatement(client)
}

/** Asks the server, on a second connection, to cancel the running statement. The protocol does not say if that worked. */
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

/** Breaks a connection as a lost network would: statements that wait on it fail, and a pool in which it is idle drops it. */
export const breakOff = (client: ClientBase): void => {
  partsOf(client).connection?.stream?.destroy()
}

/** Closes a connection of the bus at once; statements that wait on it fail. */
export const destroy = (client: ClientBase): void => {
  // marked first, so that the close does not count as an error
  partsOf(client)
    .end?.()
    .catch(() => {})
  breakOff(client)
}

/** Cuts connections that the server does not close in time after they were ended: they would keep the process alive. */
export const cutSoon = (clients: Iterable<ClientBase>): void => {
  const left = [...clients]
  if (left.length > 0) setTimeout(() => left.forEach(destroy), END_WITHIN_MS).unref()
}

/** Ends the connection, and cuts it when the server does not close it in time. */
export const endInTime = async (client: ClientBase): Promise<void> => {
  const timer = setTimeout(() => destroy(client), END_WITHIN_MS)
  try {
    await partsOf(client).end?.()
  } finally {
    clearTimeout(timer)
  }
}

/** Lets the operating system notice a lost peer while a statement without a time limit runs. */
export const keepAlive = (client: ClientBase): void => {
  partsOf(client).connection?.stream?.setKeepAlive?.(true, KEEPALIVE_AFTER_MS)
}
