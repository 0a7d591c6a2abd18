import { type CommandPlan, cutPlan } from '../../../../application/troubleshooting/dry-run.ts'
import type { ActionPlan } from '../../../../application/troubleshooting/dry-run-action.ts'

/** What was done, or, of a dry run, what would be. */
export const acted = <A extends { readonly dryRun?: CommandPlan }>({ dryRun, ...answer }: A) => ({
  ...answer,
  ...(dryRun === undefined ? {} : { dryRun: planAnswer(cutPlan(dryRun)) }),
})

const planAnswer = ({ events, diff, messages, replies, ...plan }: CommandPlan) => ({
  ...plan,
  events: [...events],
  diff: [...diff],
  messages: [...messages],
  replies: [...replies],
})

export const actionPlanAnswer = ({ messages, replies, samples, blockedSamples, ...plan }: ActionPlan) => ({
  ...plan,
  messages: [...messages],
  replies: [...replies],
  samples: samples.map(planAnswer),
  blockedSamples: [...blockedSamples],
})
