import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CommandBusError } from '../../../application/shared/errors.ts'

/** Refuses what a token does too often. */
export type Count = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

const WINDOW_MS = 60_000

/** One count for all that a token does of a kind, whatever the route; `max` a minute, 0: no limit. */
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

/** Takes a place for what lasts, and gives what frees it again; `max` places for a token, 0: no limit. */
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
 * At most `max` at once for a token: its next ones wait for their turn, or for the end of their signal, and nobody else does.
 * Gives what ends the turn.
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

/** The signed part of a verified token, without keeping it: what can be written in more ways than one is left out. */
const tokenOf = (request: FastifyRequest): string => {
  const [, signed = ''] = /\s([\w-]+\.[\w-]+)\./.exec(request.headers.authorization ?? '') ?? []
  return createHash('sha256').update(signed).digest('base64url')
}
