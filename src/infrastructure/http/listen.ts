import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CommandBusError } from '../../application/shared/errors.ts'
import { hostInUrl } from './host-in-url.ts'

const IN_FLIGHT_MS = 5_000

const sentences: Readonly<Record<string, (host: string, port: number, setBy: string) => string>> = {
  EADDRINUSE: (host, port, setBy) =>
    `port ${port} on ${host} is in use by another program: choose another one with ${setBy}, or 0 for any that is free`,
  EACCES: (_, port, setBy) =>
    `port ${port} needs more rights than this account has: choose one above 1023 with ${setBy}`,
  EADDRNOTAVAIL: host => `this machine has no address ${host}: choose another one with --host`,
  ENOTFOUND: host => `this machine has no address ${host}: choose another one with --host`,
  EAI_AGAIN: host => `this machine has no address ${host}: choose another one with --host`,
}

/** Begins to listen; returns the address. `setBy`: what sets the port. @throws CommandBusError LISTEN_FAILED */
export const listen = async (app: FastifyInstance, host: string, port: number, setBy = '--port'): Promise<string> => {
  try {
    await app.listen({ host, port, listenTextResolver: address => `HTTP listens at ${address}` })
  } catch (error) {
    const sentence = sentences[(error as NodeJS.ErrnoException).code ?? '']
    throw sentence === undefined
      ? error
      : new CommandBusError('LISTEN_FAILED', sentence(host, port, setBy), { cause: error })
  }
  const { port: taken } = app.server.address() as AddressInfo
  return `http://${hostInUrl(host)}:${taken}`
}

/** No new connections; requests under way may end within a few seconds, then they are cut. */
export const closeHttp = async (app: FastifyInstance, inFlightMs = IN_FLIGHT_MS): Promise<void> => {
  const cut = setTimeout(() => app.server.closeAllConnections(), inFlightMs)
  try {
    await app.close()
  } finally {
    clearTimeout(cut)
  }
}
