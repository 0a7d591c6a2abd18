import { createInterface } from 'node:readline/promises'
import type { CommandBus } from '../../../command-bus.ts'
import type { ParkedAction } from '../../../domain/command/operator-actions.ts'
import { parkedActions } from '../../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../../domain/command/parking.ts'
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

/** Asks before an action on several commands that a filter selects. @throws Refused */
export const confirmMany = async (
  bus: CommandBus,
  action: ParkedAction,
  filter: ActionFilter,
  isStaged: boolean,
  ask: (question: string) => Promise<void> = confirm,
): Promise<void> => {
  const [{ total: count }, groups] = await Promise.all([
    bus.troubleshooting.list({ ...filter, limit: 1 }),
    bus.troubleshooting.groups(filter),
  ])
  if (count < 2) return
  if (action === 'retry' && count > MANY && !isStaged) {
    printNote('To try a few first: --stages 1,5,25,100 --stop-when share=5%')
  }
  await ask(questionOf(action, count, groups))
}
