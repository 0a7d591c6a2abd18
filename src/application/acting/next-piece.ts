import { stageTargets } from '../../domain/campaign/campaign.ts'
import { isWithinHours } from '../../domain/campaign/hours.ts'
import type { ActionRecord } from '../ports/action-store.ts'

/** What an unfinished action may do now: `judge` what became of its present stage, or send up to `most`. */
export type NextPiece =
  | { readonly do: 'send'; readonly most: number; readonly judge: boolean }
  | { readonly do: 'judge' }
  /** `ms`: when that may have changed; without it nobody knows. */
  | { readonly do: 'wait'; readonly for: WaitsFor; readonly ms?: number }

/** What an action waits for before it sends more. */
export type WaitsFor = 'undo' | 'operator' | 'hours' | 'rate'

/** A piece at a rate is a tenth of a second's: less costs a transaction for each command. */
const PIECES_A_SECOND = 10

/** Reads only the record, with the database's clock in it. */
export const nextPiece = (action: ActionRecord): NextPiece => {
  const { status, startsAt, now, campaign, canary, succeeded, total, tokens, stage } = action
  if (status === 'PAUSED') return { do: 'wait', for: 'operator' }
  const undo = startsAt === null ? 0 : Date.parse(startsAt) - Date.parse(now)
  if (undo > 0) return { do: 'wait', for: 'undo', ms: undo }
  const handled = succeeded + action.failed + action.skipped
  const targets = stageTargets(action)
  const isLast = stage >= targets.length
  const left = (isLast ? total - handled : (targets[stage - 1] ?? total) - succeeded) || 0
  if ((!isLast && left <= 0) || handled === total) return { do: 'judge' }
  if (campaign.between !== undefined && !isWithinHours(campaign.between, now)) return { do: 'wait', for: 'hours' }
  const judge = isLast && canary === null && campaign.stopWhen !== undefined
  const { ratePerSecond } = campaign
  if (ratePerSecond === undefined) return { do: 'send', most: left, judge }
  const wanted = Math.min(left, Math.max(1, Math.floor(ratePerSecond / PIECES_A_SECOND)))
  if (tokens < wanted) return { do: 'wait', for: 'rate', ms: Math.ceil(((wanted - tokens) / ratePerSecond) * 1000) }
  return { do: 'send', most: Math.min(left, Math.floor(tokens)), judge }
}

/** Why nothing is sent at the moment; null: something is, or it is over. */
export const waitsForOf = (action: ActionRecord): WaitsFor | 'stage' | null => {
  if (!['RUNNING', 'WAITING_FOR_CANARY', 'PAUSED'].includes(action.status)) return null
  const next = nextPiece(action)
  if (next.do === 'judge') return 'stage'
  return next.do === 'wait' && next.for !== 'rate' ? next.for : null
}
