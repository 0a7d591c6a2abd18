import type { CommandKey } from '../../domain/command/events.ts'
import type { ParkedAction } from '../../domain/command/operator-actions.ts'
import { textOfToken, tokenOf } from '../acting/plan-token.ts'
import type { ActionStore } from '../ports/action-store.ts'
import type { Clock } from '../ports/clock.ts'
import { CommandBusError } from '../shared/errors.ts'
import { actionOf } from './action-input.ts'
import { intentOf } from './apply-action.ts'
import { type CommandPlan, cutPlan, type PlanTurns } from './dry-run.ts'
import { onlyWithin, refusal } from './operate-command.ts'
import type { BulkActionOptions } from './operator-options.ts'

export interface DryRunActionDeps {
  readonly plan: PlanTurns
  readonly clock: Clock
  readonly printOf: ActionStore['printOf']
}

export interface BlockedItem extends CommandKey {
  readonly code: string
  readonly message: string
}

/** How many messages or replies an action would send to a queue. */
export interface QueueCount {
  readonly queue: string
  readonly count: number
}

/** The effects that an action on many commands would have. */
export interface ActionPlan {
  readonly action: ParkedAction
  /** Commands that match the filter, or were named. */
  readonly total: number
  /** How many of these were decided, by the decision of the action itself: the first 10,000 in its order. */
  readonly decided: number
  /** How many of the decided commands the action would change. */
  readonly would: number
  readonly blocked: number
  /** Messages that would be sent again, and replies to senders, by queue. */
  readonly messages: readonly QueueCount[]
  readonly replies: readonly QueueCount[]
  /** Up to 20 of each, without payloads and reply bodies of more than 4 KiB. */
  readonly samples: readonly CommandPlan[]
  readonly blockedSamples: readonly BlockedItem[]
  /** For the action itself: it is refused when any of these commands has changed, or another fits. */
  readonly planToken: string
}

const MOST = 10_000
const SAMPLES = 20
/** Streams in memory at a time; they are read whole, with payloads. */
const PIECE = 25

/** Writes nothing and makes no action. @throws InvalidInputError */
export const dryRunAction =
  ({ plan, clock, printOf }: DryRunActionDeps) =>
  async (options: BulkActionOptions): Promise<ActionPlan> => {
    const at = clock.now().toISOString()
    const action = actionOf(options, at)
    const { details, operator, tenantId } = action
    // first: what changes while the rest is read makes the token stale, never the other way round
    const { total, first, ...print } = await printOf(action, MOST)
    const token = await tokenOf(action, print)
    const intent = intentOf(details, { at, actor: operator })
    const guard = tenantId === null ? {} : { guard: onlyWithin({ tenantId }) }
    const messages = new Map<string, number>()
    const replies = new Map<string, number>()
    const samples: CommandPlan[] = []
    const blockedSamples: BlockedItem[] = []
    let would = 0

    const decide = async (keys: readonly CommandKey[]): Promise<void> => {
      const outcomes = await plan(keys.map(key => ({ key, intent, ...guard })))
      outcomes.forEach((outcome, i) => {
        const key = keys[i] as CommandKey
        if (outcome.outcome === 'rejected') {
          const error = refusal(key.domain, key.commandId, outcome.rejection)
          const code = error instanceof CommandBusError ? error.code : 'FAILED'
          if (blockedSamples.length < SAMPLES) blockedSamples.push({ ...key, code, message: error.message })
          return
        }
        would++
        for (const { queue } of outcome.plan.messages) messages.set(queue, (messages.get(queue) ?? 0) + 1)
        for (const { queue } of outcome.plan.replies) replies.set(queue, (replies.get(queue) ?? 0) + 1)
        if (samples.length < SAMPLES) samples.push(cutPlan(outcome.plan))
      })
    }

    for (let i = 0; i < first.length; i += PIECE) await decide(first.slice(i, i + PIECE))
    return {
      action: details.action,
      total,
      decided: first.length,
      would,
      blocked: first.length - would,
      messages: countsOf(messages),
      replies: countsOf(replies),
      samples,
      blockedSamples,
      planToken: textOfToken(token),
    }
  }

const countsOf = (counts: ReadonlyMap<string, number>): readonly QueueCount[] =>
  [...counts].map(([queue, count]) => ({ queue, count })).sort((a, b) => b.count - a.count)
