import type { ActionItem } from '../../../application/ports/action-store.ts'
import type { ActionView } from '../../../application/troubleshooting/bulk-action.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { parkedActions } from '../../../domain/command/operator-actions.ts'
import { Refused } from '../support/failure.ts'
import { type Column, counted, print, printJson, printNote, table } from '../text/output.ts'
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
  }
  const watch = watchProgress(start, quiet)
  let view: ActionView
  try {
    view = await bus.actions.runOne(start.actionId, { onProgress: watch.show })
  } finally {
    watch.end()
  }
  if (quiet) printJson(view)
  else await sumUp(bus, view)
  if (view.succeeded < view.total) throw new Refused('not all was done')
}

const watchProgress = ({ total }: ActionView, quiet: boolean) => {
  const drawn = process.stderr.isTTY === true
  const bar = startProgress('commands', total)
  let shown = 0
  let lastLineAt = performance.now()
  let waiting = false
  return {
    show: (view: ActionView): void => {
      for (; shown < doneOf(view); shown++) bar.step()
      if (quiet) return
      const waits = view.status === 'WAITING_FOR_CANARY' && view.succeeded >= (view.canary ?? 0)
      if (waits && !waiting) {
        bar.above(() =>
          printNote(
            `Waiting for the canary: ${counted(view.succeeded, 'command has', 'commands have')} to complete before the rest goes.`,
          ),
        )
      } else if (!drawn && !waits && performance.now() - lastLineAt >= LINE_MS) {
        lastLineAt = performance.now()
        printNote(`${doneOf(view)} of ${total}`)
      }
      waiting = waits
    },
    end: bar.end,
  }
}

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

export const itemColumns: readonly Column<ActionItem>[] = [
  { title: 'COMMAND', value: item => item.commandId },
  { title: 'DOMAIN', value: item => item.domain },
  { title: 'OUTCOME', value: item => item.outcome },
  { title: 'WHY', value: item => item.message, flexible: true },
]
