import type { CommandPlan } from '../../application/dry-run.ts'
import type { ActionPlan, BlockedItem } from '../../application/dry-run-action.ts'
import { type Column, plain, table } from './output.ts'
import { changeText } from './replay-text.ts'

/** What an action would do to one command. */
export const planText = ({ domain, commandId, from, to, events, diff, messages, replies }: CommandPlan): string =>
  [
    `Command ${commandId} in ${domain} would go from ${from} to ${to} (${events.join(', ')}):`,
    ...diff.map(changeText),
    ...messages.map(({ queue, data }) => `  a message to ${queue}: ${plain(data)}`),
    ...replies.map(({ queue, body }) => `  a reply to ${queue}: ${plain(body)}`),
    'Nothing was done.',
  ].join('\n')

/** What an action would do to many. */
export const actionPlanText = ({ action, total, decided, would, blocked, ...plan }: ActionPlan): string => {
  if (total === 0) return 'Nothing that fits is parked.'
  const counted = decided < total ? ` (of the first ${decided}; the rest was not looked at)` : ''
  return [
    `Would ${action} ${would} of ${total}${counted}; ${blocked} blocked.`,
    ...plan.messages.map(({ queue, count }) => `  ${count} messages to ${queue}`),
    ...plan.replies.map(({ queue, count }) => `  ${count} replies to ${queue}`),
    ...(plan.samples.length === 0 ? [] : [`\n${table(plan.samples, sampleColumns)}`]),
    ...(plan.blockedSamples.length === 0 ? [] : [`\n${table(plan.blockedSamples, blockedColumns)}`]),
    '\nNothing was done.',
  ].join('\n')
}

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
