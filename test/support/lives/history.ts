import { isLeft } from 'fp-ts/lib/Either.js'
import type { Pool } from 'pg'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import type { CommandError } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import type { CommandIntent, Receive } from '../../../src/domain/command/intents.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { defaultRetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import { type CommandState, initialState } from '../../../src/domain/command/state.ts'
import { fold } from '../../../src/domain/decider.ts'
import { uuidIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { settled } from '../settled.ts'
import { createCommandStore } from './command-store.ts'

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface HistoryOptions {
  readonly pool: Pool
  readonly commands: number
  readonly seed?: number
  readonly domain?: string
  /** The time of all events. Default: now. */
  readonly at?: Date
}

interface Living {
  readonly stream: string
  state: CommandState
  revision: number
  msgId: string | null
}

const UNIT = 1_000
const LANES = 2
const errorOf = (type: CommandError['type']): CommandError => ({
  type,
  code: `CODE_${type}`,
  message: `it was ${type}`,
})

/**
 * Writes what a busy bus leaves behind, rows and messages included, and returns the streams. Commands are sent, processed
 * and operated on at random; the domain decides each step, and the store writes them in large units. Feeds can read all.
 */
export const writeHistory = async (options: HistoryOptions): Promise<readonly string[]> => {
  const { pool, commands, seed = 1, domain = 'shop', at = new Date() } = options
  const random = randomOf(seed)
  const transact = createTransactCommands(createCommandStore(pool), uuidIds)
  const instant = (step: number): string => new Date(at.getTime() + step * 1000).toISOString()
  const living: Living[] = Array.from({ length: commands }, (_, i) => ({
    stream: commandStream({ domain, commandId: idOf(random, i) }),
    state: initialState,
    revision: -1,
    msgId: null,
  }))

  const write = async (turns: readonly (readonly [Living, readonly CommandIntent[]])[]): Promise<void> => {
    let next = 0
    const lane = async (): Promise<void> => {
      for (let from = next; from < turns.length; from = next) {
        next += UNIT
        const unit = turns.slice(from, from + UNIT)
        const outcomes = await transact(
          unit.map(([{ stream, state, revision }, intents]) => ({ stream, intents, known: { state, revision } })),
        )
        outcomes.forEach((outcome, i) => {
          const [one] = unit[i] as readonly [Living, unknown]
          if (outcome.outcome !== 'done') throw new Error(`this life is not legal: ${JSON.stringify(outcome)}`)
          one.state = outcome.now.state
          one.revision = outcome.now.revision
          one.msgId = outcome.msgId ?? one.msgId
        })
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  const sent = (i: number): CommandIntent => ({
    type: 'Send',
    at: instant(0),
    actor: 'shop',
    commandType: i % 3 === 0 ? 'Charge' : 'Ship',
    data: {
      order: i,
      amount: Math.floor(random() * 1000) / 100,
      note: 'as agreed',
      card: { number: '4111', token: `t-${i}` },
    },
    correlationId: `order-${Math.floor(i / 3)}`,
    causationId: null,
    replyTo: null,
    tenantId: i % 5 === 0 ? 't1' : null,
    ownerId: null,
    parentCommandId: null,
    retryCount: 0,
    policy: { ...defaultRetryPolicy, onExhausted: i % 7 === 0 ? 'fail' : 'park' },
  })
  await write(living.map((one, i) => [one, [sent(i)]]))
  for (let round = 1; round <= 3; round++) {
    await write(living.flatMap(one => turnOf(one, worked(random, one, instant(round * 10)))))
    if (round < 3) await write(living.flatMap(one => turnOf(one, operated(random, one, instant(round * 10 + 5)))))
  }
  await settled(pool)
  return living.map(({ stream }) => stream)
}

const idOf = (random: () => number, i: number): string => {
  const hex = (digits: number): string =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${i.toString(16).padStart(12, '0')}`
}

const turnOf = (
  one: Living,
  intents: readonly CommandIntent[],
): readonly (readonly [Living, readonly CommandIntent[]])[] => (intents.length === 0 ? [] : [[one, intents]])

/** What workers do with a waiting command, until it ends, is parked, or is left for later. */
const worked = (random: () => number, { state, msgId }: Living, at: string): readonly CommandIntent[] => {
  if (state.status !== 'PENDING' || msgId === null) return []
  if (random() < 0.02) return random() < 0.5 ? [] : [{ type: 'Cancel', at, actor: 'shop', reason: 'changed my mind' }]
  const intents: CommandIntent[] = []
  let now: CommandState = state
  const take = (intent: CommandIntent): CommandState => {
    const decided = command.decide(intent, now)
    if (isLeft(decided)) throw new Error(`${intent.type}: ${decided.left.type}`)
    intents.push(intent)
    now = fold(command, decided.right, now)
    return now
  }
  for (let delivery = 1; now.status === 'PENDING'; delivery++) {
    const actor = `worker:${Math.floor(random() * 4)}`
    const receive: Receive = { type: 'Receive', at, actor, msgId, delivery, leaseExpiresAt: at }
    const attempt = state.attemptOffset + delivery
    const chance = random()
    if (chance < 0.8) take({ type: 'ReportSuccess', at, actor, attempt, result: { done: delivery }, receive })
    else {
      if (take(receive).status !== 'IN_PROGRESS' || chance < 0.81) break
      const type = chance < 0.9 ? 'TRANSIENT' : chance < 0.97 ? 'PERMANENT' : 'BUSINESS_RULE'
      take({ type: 'ReportFailure', at, actor, attempt, error: errorOf(type), random: 0 })
    }
  }
  return intents
}

const operated = (random: () => number, { state }: Living, at: string): readonly CommandIntent[] => {
  if (state.status !== 'IN_TROUBLESHOOTING_QUEUE') return []
  const [actor, chance] = ['jane@example.com', random()]
  if (chance < 0.2) return []
  if (chance < 0.3) return [{ type: 'OperatorCancel', at, actor, reason: 'no more' }]
  if (chance < 0.4) return [{ type: 'OperatorComplete', at, actor, resultData: { by: 'hand' } }]
  return [
    {
      type: 'OperatorRetry',
      at,
      actor,
      resetAttempts: chance < 0.8,
      ...(chance < 0.6 ? { data: { edited: chance } } : {}),
    },
  ]
}
