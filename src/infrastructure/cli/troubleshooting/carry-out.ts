import type { ActionItem, Became, BecameCounts } from '../../../application/ports/action-store.ts'
import type { ActionView } from '../../../application/troubleshooting/bulk-action.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { parkedActions } from '../../../domain/command/operator-actions.ts'
import { Refused } from '../support/failure.ts'
import { type Column, counted, print, printJson, printNote, table, when } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'

/** The time between two lines of progress, where the output is not a terminal. */
const LINE_MS = 1000
/** The most items that are shown of those that were not done. */
const SHOWN = 10

const doneOf = ({ succeeded, failed, skipped }: ActionView): number => succeeded + failed + skipped

/** Carries out an action and prints its progress and result. @throws Refused when not all items were done */
export const carryOut = async (
  bus: CommandBus,
  start: ActionView,
  options: { readonly json?: true },
): Promise<void> => {
  const quiet = options.json === true
  if (!quiet && doneOf(start) < start.total) {
    printNote(`Action ${start.actionId}: ${counted(start.total, 'command')}. To go on after an interruption:`)
    printNote(`  commandbus tsq actions resume ${start.actionId}`)
    if (start.waitsFor === 'undo') {
      printNote(
        `Nothing is done until ${when(start.startsAt)}. To undo it: commandbus tsq actions stop ${start.actionId}`,
      )
    }
  }
  const watch = watchProgress(start, quiet)
  let view: ActionView
  try {
    view = await bus.actions.runOne(start.actionId, { onProgress: watch.show })
  } finally {
    watch.end()
  }
  const became = (await bus.actions.get(view.actionId))?.became
  if (quiet) printJson(became === undefined ? view : { ...view, became })
  else {
    await sumUp(bus, view)
    if (became !== undefined && view.succeeded > 0) {
      printNote(`So far: ${becameText(view.succeeded, became)}. Later: commandbus tsq actions ${view.actionId}`)
    }
  }
  if (view.succeeded < view.total) throw new Refused('not all was done')
}

const watchProgress = ({ total }: ActionView, quiet: boolean) => {
  const drawn = process.stderr.isTTY === true
  const bar = startProgress('commands', total)
  let shown = 0
  let lastLineAt = performance.now()
  let waiting = ''
  return {
    show: (view: ActionView): void => {
      for (; shown < doneOf(view); shown++) bar.step()
      if (quiet) return
      const waits = waitText(view)
      if (waits !== '' && waits !== waiting) bar.above(() => printNote(waits))
      else if (!drawn && waits === '' && performance.now() - lastLineAt >= LINE_MS) {
        lastLineAt = performance.now()
        printNote(`${doneOf(view)} of ${total}`)
      }
      waiting = waits
    },
    end: bar.end,
  }
}

/** Why nothing is sent now; empty: something is, or that is said elsewhere. */
const waitText = ({ waitsFor, canary, succeeded, stage, stageTargets, campaign, note }: ActionView): string => {
  switch (waitsFor) {
    case 'stage':
      return canary === null
        ? `Stage ${stage} of ${stageTargets.length} is sent: waiting for ${counted(succeeded, 'command')} to end.`
        : `Waiting for the canary: ${counted(succeeded, 'command has', 'commands have')} to complete before the rest goes.`
    case 'hours':
      return `Waiting for its hours: ${campaign.between?.from}-${campaign.between?.to} ${campaign.between?.timeZone}.`
    case 'operator':
      return `It is ${note}.`
    default:
      return ''
  }
}

/** `32 sent again: 30 completed, 2 parked again, 0 running` */
export const becameText = (sent: number, { completed, parkedAgain, failed, canceled, running }: BecameCounts): string =>
  `${sent} sent again: ${[
    `${completed} completed`,
    `${parkedAgain} parked again`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(canceled > 0 ? [`${canceled} canceled`] : []),
    `${running} running`,
  ].join(', ')}`

const sumUp = async (bus: CommandBus, view: ActionView): Promise<void> => {
  const { action, total, succeeded, failed, skipped, note } = view
  if (total === 0) return print('Nothing that fits is parked.')
  const rest = succeeded === total ? '' : `; ${failed} failed, ${skipped} skipped`
  print(`${parkedActions[action].past} ${succeeded} of ${total}${rest}.`)
  if (note !== null) print(`It ended early: ${note}.`)
  else if (succeeded < total) await showUndone(bus, view)
}

const showUndone = async (bus: CommandBus, { actionId, failed, skipped }: ActionView): Promise<void> => {
  for (const outcome of ['FAILED', 'SKIPPED'] as const) {
    const count = outcome === 'FAILED' ? failed : skipped
    if (count === 0) continue
    const found = await bus.actions.get(actionId, { items: { outcome, limit: SHOWN } })
    print(`\n${table(found?.items?.items ?? [], itemColumns)}`)
    if (count > SHOWN) print(`and ${count - SHOWN} more: commandbus tsq actions ${actionId} --outcome ${outcome}`)
  }
}

const becameWord: Readonly<Record<Became, string>> = {
  RUNNING: 'SENT AGAIN',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
  IN_TROUBLESHOOTING_QUEUE: 'PARKED AGAIN',
}

export const itemColumns: readonly Column<ActionItem>[] = [
  { title: 'COMMAND', value: item => item.commandId },
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'OUTCOME', value: item => (item.became === null ? item.outcome : becameWord[item.became]) },
  { title: 'WHY', value: item => item.message ?? item.becameCode, flexible: true },
]
