import type { FastifyReply, FastifyRequest } from 'fastify'

/** Says how old an answer from a replica is at most, in seconds; an answer from the primary has no such header. */
export const AGE_HEADER = 'data-age'

/** Whether a read has to show what was just written (`cache-control: no-cache`), and how its answer tells its age. */
export const ageOf = ({ headers }: FastifyRequest, reply: FastifyReply) => {
  let oldestMs: number | null = null
  return {
    fresh: /(^|[\s,])no-cache($|[\s,])/i.test(headers['cache-control'] ?? ''),
    onAge: (ageMs: number): void => {
      oldestMs = Math.max(oldestMs ?? 0, ageMs)
    },
    tellAge: (): void => {
      // rounded up, as it is the most
      if (oldestMs !== null) reply.header(AGE_HEADER, String(Math.ceil(oldestMs) / 1000))
    },
  }
}
