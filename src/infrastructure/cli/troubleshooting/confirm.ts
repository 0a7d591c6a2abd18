import { createInterface } from 'node:readline/promises'
import { PlanChangedError } from '../../../application/acting/plan-token.ts'
import type { ActionView } from '../../../application/troubleshooting/bulk-action.ts'
import type { BulkActionOptions } from '../../../application/troubleshooting/operator-options.ts'
import type { CommandBus } from '../../../command-bus.ts'
import type { ParkedAction } from '../../../domain/command/operator-actions.ts'
import { parkedActions } from '../../../domain/command/operator-actions.ts'
import { Refused } from '../support/failure.ts'
import { counted, printNote } from '../text/output.ts'

/** Whether a person reads what is asked and can answer it. */
export const atTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** From so many on, trying a few first is proposed. */
const MANY = 20

/** Asks on standard error; anything but yes is no. @throws Refused */
export const confirm = async (
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<void> => {
  const asking = createInterface({ input, output })
  try {
    const ended = new Promise<string>(resolve => asking.once('close', () => resolve('')))
    const answer = await Promise.race([asking.question(`${question} [y/N] `), ended])
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    asking.close()
  }
  printNote('Nothing was done.')
  throw new Refused('not confirmed')
}

/** `Complete 6 commands of notifications (TypeError)?`; the groups may be the largest of more. */
export const questionOf = (
  action: ParkedAction,
  count: number,
  groups: readonly { readonly domain: string; readonly errorCode: string }[],
): string => {
  const domains = namesOf(groups.map(({ domain }) => domain))
  const codes = namesOf(groups.map(({ errorCode }) => errorCode).filter(code => code !== ''))
  const which = `${counted(count, 'command')} of ${domains}${codes === '' ? '' : ` (${codes})`}`
  return `${parkedActions[action].verb} ${which}?`
}

const SHOWN = 3

const namesOf = (all: readonly string[]): string => {
  const names = [...new Set(all)]
  const rest = names.length - SHOWN
  return names.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

/**
 * Asks before an action on several commands that a filter selects, and starts it for exactly those that were asked about. Where
 * they have changed when the answer comes, nothing is done, and it asks again. @throws Refused
 */
export const startConfirmed = async (
  bus: CommandBus,
  options: BulkActionOptions,
  ask: (question: string) => Promise<void> = confirm,
): Promise<ActionView> => {
  for (;;) {
    const confirmed = await confirmMany(bus, options, ask)
    try {
      return await bus.actions.start({ ...confirmed, ...options })
    } catch (error) {
      if (!(error instanceof PlanChangedError) || options.planToken !== undefined) throw error
      printNote('Nothing was done: these commands have changed since the question.')
    }
  }
}

/** The token of what was confirmed; nothing for a single command, which is not asked about. */
const confirmMany = async (
  bus: CommandBus,
  options: BulkActionOptions,
  ask: (question: string) => Promise<void>,
): Promise<{ readonly planToken?: string }> => {
  const { action, filter = {}, stages, canary } = options
  const { total, planToken } = await bus.actions.dryRun(options)
  if (total < 2) return {}
  const groups = await bus.troubleshooting.groups(filter)
  if (action === 'retry' && total > MANY && stages === undefined && canary === undefined) {
    printNote('To try a few first: --stages 1,5,25,100 --stop-when share=5%')
  }
  await ask(questionOf(action, total, groups))
  return { planToken }
}
