import type { CommandPlan } from '../../../application/troubleshooting/dry-run.ts'
import type { ActionPlan, BlockedItem } from '../../../application/troubleshooting/dry-run-action.ts'
import { type Column, counted, plain, table } from './output.ts'
import { changeText } from './replay-text.ts'

/** What an action would do to one command. */
export const planText = (
  { domain, commandId, from, to, events, diff, messages, replies }: CommandPlan,
  planToken: string | undefined,
): string =>
  [
    `Command ${commandId} in ${domain} would go from ${from} to ${to} (${events.join(', ')}):`,
    ...diff.map(changeText),
    ...messages.map(({ queue, data }) => `  a message to ${queue}: ${plain(data)}`),
    ...replies.map(({ queue, body }) => `  a reply to ${queue}: ${plain(body)}`),
    `Nothing was done.${exactly(planToken)}`,
  ].join('\n')

/** What an action would do to many. */
export const actionPlanText = ({ action, total, decided, would, blocked, ...plan }: ActionPlan): string => {
  if (total === 0) return 'Nothing that fits is parked.'
  const checked = decided < total ? ` (of the first ${decided}; the rest was not checked)` : ''
  return [
    `Would ${action} ${would} of ${total}${checked}; ${blocked} blocked.`,
    ...plan.messages.map(({ queue, count }) => `  ${counted(count, 'message')} to ${queue}`),
    ...plan.replies.map(({ queue, count }) => `  ${counted(count, 'reply', 'replies')} to ${queue}`),
    ...(plan.samples.length === 0 ? [] : [`${exampleOf(plan.samples, would)}${table(plan.samples, sampleColumns)}`]),
    ...(plan.blockedSamples.length === 0
      ? []
      : [`${exampleOf(plan.blockedSamples, blocked)}${table(plan.blockedSamples, blockedColumns)}`]),
    `\nNothing was done.${exactly(plan.planToken)}`,
  ].join('\n')
}

const exactly = (planToken: string | undefined): string =>
  planToken === undefined ? '' : ` To carry out exactly this: the same command with --plan ${planToken}`

/** Says that only some of them follow. */
const exampleOf = (samples: readonly unknown[], all: number): string =>
  samples.length < all ? `\n${samples.length} of these ${all}:\n` : '\n'

const sampleColumns: readonly Column<CommandPlan>[] = [
  { title: 'COMMAND', value: plan => plan.commandId },
  { title: 'DOMAIN', value: plan => plan.domain },
  { title: 'FROM', value: plan => plan.from },
  { title: 'TO', value: plan => plan.to },
]

const blockedColumns: readonly Column<BlockedItem>[] = [
  { title: 'COMMAND', value: item => item.commandId },
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'BLOCKED', value: item => item.message, flexible: true },
]
