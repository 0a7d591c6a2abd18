import { brokenRule, ruleOf, stageTargets } from '../../domain/campaign/campaign.ts'
import type { ActionRecord, EarlyEnd, Standing } from '../ports/action-store.ts'

/** `pass`: all of the stage have ended, and the next may begin. */
export type Verdict =
  | { readonly verdict: 'waiting' | 'pass' }
  | { readonly verdict: 'end'; readonly status: EarlyEnd; readonly note: string }

/**
 * What follows from what became of an action's commands. A rule that is broken ends the action at once; otherwise a stage
 * is over when all of its commands have ended.
 */
export const judgeStage = (action: ActionRecord, standing: Standing): Verdict => {
  const rule = ruleOf(action)
  const { length } = stageTargets(action)
  // the last stage is judged while it is sent: of the first few, one may be any share
  const sizeOfStage = standing.sizeOfStage + (action.stage < length ? 0 : standing.left)
  const broken = rule === null ? null : brokenRule(rule, { ...standing, sizeOfStage })
  if (broken === null) return { verdict: standing.running > 0 ? 'waiting' : 'pass' }
  if (action.canary !== null)
    return { verdict: 'end', status: 'CANARY_FAILED', note: `the canary failed: ${standing.first}` }
  const where = length > 1 ? ` in stage ${action.stage} of ${length}` : ''
  return {
    verdict: 'end',
    status: 'STOPPED_BY_RULE',
    note: `its rule was broken${where}: ${broken}; first: ${standing.first}`,
  }
}
