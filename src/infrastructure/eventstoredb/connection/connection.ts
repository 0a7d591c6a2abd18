import type * as Client from '@eventstore/db-client'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { InvalidInputError, UnavailableError } from '../../../application/shared/errors.ts'
import { answeredWithin } from '../../postgres/network/time-limit.ts'
import { whyNotLoaded } from '../../shared/optional-packages.ts'
import { isAway, SilentStoreError } from './errors.ts'
import { clientUrl, eventStoreUrlForm } from './url.ts'

/** A process's clients of one EventStoreDB. Nothing is loaded or connected before the first call. */
export interface EventStoreDbConnection {
  /** For reads and subscriptions. */
  readonly reader: () => Promise<EventStoreDBClient>
  /** Runs one append, for at most `timeoutMs`. Only a few run at a time. */
  readonly appending: <A>(timeoutMs: number, append: (client: EventStoreDBClient) => Promise<A>) => Promise<A>
  readonly close: () => Promise<void>
}

interface Shared extends EventStoreDbConnection {
  users: number
}

/**
 * The most unanswered appends. The client leaves a rejection unhandled when its stream breaks while more writes wait than the
 * stream's buffer of 16 can hold.
 */
const MAX_IN_FLIGHT = 15

const shared = new Map<string, Shared>()

/**
 * The client library keeps one list of awaited answers for the whole process. An error of one appending client fails the
 * appends of another, whose answers then end the process. So all buses of a process share one client, and a second server
 * is refused.
 */
export const connectEventStoreDb = (given: string): EventStoreDbConnection => {
  const url = clientUrl(given)
  const [other] = [...shared.keys()].filter(key => key !== url)
  if (other !== undefined) {
    throw new InvalidInputError(
      'EVENTSTORE_URL',
      'this process uses another EventStoreDB already, and can use only one',
    )
  }
  const connection = shared.get(url) ?? open(url)
  connection.users++
  shared.set(url, connection)
  let closed: Promise<void> | null = null
  const close = (): Promise<void> => {
    closed ??= (async () => {
      if (--connection.users > 0) return
      shared.delete(url)
      await connection.close()
    })()
    return closed
  }
  return { reader: connection.reader, appending: connection.appending, close }
}

const loadClient = async (): Promise<typeof Client> => {
  try {
    // right here, because bundlers let a package be missing only where its import is in a `try`
    return await import('@eventstore/db-client')
  } catch (error) {
    throw whyNotLoaded(error, 'a log in EventStoreDB', ['eventStoreDb'])
  }
}

const newClient = async (url: string): Promise<EventStoreDBClient> => {
  const { EventStoreDBClient } = await loadClient()
  try {
    return EventStoreDBClient.connectionString(url)
  } catch {
    throw new InvalidInputError('EVENTSTORE_URL', `must be ${eventStoreUrlForm}`)
  }
}

const dispose = async (client: Promise<EventStoreDBClient> | null): Promise<void> => {
  await client?.then(made => made.dispose()).catch(() => {})
}

/** Appends have their own client, so that a failing read cannot replace the channel of appends that wait for answers. */
const open = (url: string): Shared => {
  let reader: Promise<EventStoreDBClient> | null = null
  let appender: Promise<EventStoreDBClient> | null = null
  let inFlight = 0
  let answeredAt = 0
  let isClosed = false
  const waiting: (() => void)[] = []

  const made = (client: Promise<EventStoreDBClient> | null, forget: () => void): Promise<EventStoreDBClient> => {
    // a retry after the end must not open a new connection
    if (isClosed) return Promise.reject(new UnavailableError('the connection to EventStoreDB was closed'))
    return (
      client ??
      newClient(url).catch(error => {
        forget()
        throw error
      })
    )
  }

  /** Replaces a client that did not answer, after it has given up all waiting calls. */
  const renew = (failed: Promise<EventStoreDBClient>): void => {
    if (appender !== failed) return
    appender = dispose(failed).then(() => newClient(url))
    appender.catch(() => {})
  }

  /** Waits for a turn while other appends get answers. */
  const slot = async (timeoutMs: number): Promise<void> => {
    if (inFlight < MAX_IN_FLIGHT) {
      inFlight++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const since = performance.now()
      const begin = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const check = (): void => {
        const left = timeoutMs - (performance.now() - Math.max(since, answeredAt))
        if (left > 0) {
          timer = setTimeout(check, left)
          return
        }
        waiting.splice(waiting.indexOf(begin), 1)
        reject(new SilentStoreError(timeoutMs))
      }
      let timer = setTimeout(check, timeoutMs)
      waiting.push(begin)
    })
  }

  const release = (): void => {
    const next = waiting.shift()
    if (next === undefined) inFlight--
    else next()
  }

  return {
    users: 0,
    reader: () => {
      reader = made(reader, () => {
        reader = null
      })
      return reader
    },
    appending: async (timeoutMs, append) => {
      await slot(timeoutMs)
      appender = made(appender, () => {
        appender = null
      })
      const client = appender
      try {
        // loading the client takes time on a busy machine: it does not count as the server's silence
        const loaded = await client
        const answer = await answeredWithin(timeoutMs, append(loaded), () => {
          renew(client)
          return new SilentStoreError(timeoutMs)
        })
        answeredAt = performance.now()
        return answer
      } catch (error) {
        if (!isAway(error)) answeredAt = performance.now()
        throw error
      } finally {
        release()
      }
    },
    close: async () => {
      const open = [reader, appender]
      isClosed = true
      reader = null
      appender = null
      await Promise.all(open.map(dispose))
    },
  }
}
