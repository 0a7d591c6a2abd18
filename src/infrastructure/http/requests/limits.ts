import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CommandBusError } from '../../../application/shared/errors.ts'

/** Counts a request of a token. @throws CommandBusError RATE_LIMITED */
export type Count = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

const WINDOW_MS = 60_000

/** Counts all reads or all writes of a token together, whatever the route; `max` a minute, 0: no limit. */
export const perMinute = (app: FastifyInstance, verb: 'write' | 'read', max: number): Count => {
  if (max === 0) return async () => {}
  const count = app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator: tokenOf })
  return async (request, reply) => {
    const counted = await count(request)
    if (counted.isAllowed) return
    reply.header('x-ratelimit-limit', max).header('x-ratelimit-remaining', counted.remaining)
    if (!counted.isExceeded) return
    reply.header('retry-after', counted.ttlInSeconds)
    throw new CommandBusError(
      'RATE_LIMITED',
      `this token may ${verb} ${max} times a minute: try again in ${counted.ttlInSeconds} s`,
    )
  }
}

/** Takes one of a token's `max` places for a long request (0: no limit); returns the function that frees it. */
export const placesPerToken = (max: number, refusal: string): ((request: FastifyRequest) => () => void) => {
  const taken = new Map<string, number>()
  return request => {
    const token = tokenOf(request)
    const before = taken.get(token) ?? 0
    if (max > 0 && before >= max) throw new CommandBusError('RATE_LIMITED', refusal)
    taken.set(token, before + 1)
    return () => {
      const left = (taken.get(token) ?? 1) - 1
      if (left === 0) taken.delete(token)
      else taken.set(token, left)
    }
  }
}

/**
 * At most `max` requests of a token at once. Its further ones wait for their turn, or until their signal is aborted; other
 * tokens do not wait. Returns the function that ends the turn.
 */
export const turnsPerToken = (max: number) => {
  const lines = new Map<string, { running: number; readonly waiting: Set<() => void> }>()
  return async (request: FastifyRequest, signal: AbortSignal): Promise<() => void> => {
    signal.throwIfAborted()
    const token = tokenOf(request)
    const line = lines.get(token) ?? { running: 0, waiting: new Set() }
    lines.set(token, line)
    if (line.running < max) line.running++
    else {
      await new Promise<void>((resolve, reject) => {
        line.waiting.add(resolve)
        const leave = (): void => {
          line.waiting.delete(resolve)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
      })
    }
    return () => {
      const [next] = line.waiting
      if (next !== undefined) {
        line.waiting.delete(next)
        next()
      } else if (--line.running === 0) lines.delete(token)
    }
  }
}

/** A hash of a verified token, without its signature: that can be written in more than one way. */
const tokenOf = (request: FastifyRequest): string => {
  const [, signed = ''] = /\s([\w-]+\.[\w-]+)\./.exec(request.headers.authorization ?? '') ?? []
  return createHash('sha256').update(signed).digest('base64url')
}
