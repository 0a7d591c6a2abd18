import type { Answered, Ask, Asker } from './ask.ts'
import type { Honest } from './people.ts'

export interface HonestCalls {
  /** Resolves with the body of the answer; notes an unexpected status, and resolves with null. */
  readonly call: (who: Honest, ask: Ask, expected?: number) => Promise<Record<string, unknown> | null>
  readonly count: () => number
  /** Notes something that took too long. */
  readonly giveUp: (what: string) => void
  /** Calls with an unexpected answer. */
  readonly refused: readonly string[]
  /** The longest time of this share of the calls, in milliseconds. */
  readonly quantile: (share: number) => number
}

export const createHonestCalls = (askers: Readonly<Record<Honest, Asker>>): HonestCalls => {
  const waits: number[] = []
  const refused: string[] = []
  const tell = (who: Honest, { method, path }: Ask, { status, text, ms }: Answered): string =>
    `${who} ${method} ${path}: ${status} after ${Math.round(ms)} ms: ${text.slice(0, 300)}`
  return {
    call: async (who, ask, expected = 200) => {
      const answered = await askers[who].ask(ask)
      waits.push(answered.ms)
      if (answered.status === expected) return JSON.parse(answered.text)
      refused.push(tell(who, ask, answered))
      return null
    },
    count: () => waits.length,
    giveUp: what => void refused.push(what),
    refused,
    quantile: share => [...waits].sort((a, b) => a - b)[Math.ceil(waits.length * share) - 1] ?? 0,
  }
}
