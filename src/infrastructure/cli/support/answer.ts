import type { CommandBus } from '../../../command-bus.ts'
import { type Column, print, printJson, table } from '../text/output.ts'
import type { CliDeps } from './deps.ts'
import { withBus } from './session.ts'

interface Flags {
  readonly json?: true | undefined
}

/** Calls the bus, and prints the answer as JSON if that is asked for, and the text otherwise. */
export const printAnswer = (
  deps: CliDeps,
  { json }: Flags,
  call: (bus: CommandBus) => Promise<readonly [answer: unknown, text: string]>,
): Promise<void> =>
  withBus(deps, async ({ bus }) => {
    const [answer, text] = await call(bus)
    if (json) printJson(answer)
    else print(text)
  })

interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** The same with a page of a list, as a table; `none` is the text of an empty one. */
export const printPage = <Item>(
  deps: CliDeps,
  flags: Flags,
  call: (bus: CommandBus) => Promise<Page<Item>>,
  columns: readonly Column<Item>[],
  none: string,
): Promise<void> =>
  printAnswer(deps, flags, async bus => {
    const page = await call(bus)
    return [page, page.items.length === 0 ? none : table(page.items, columns) + more(page.nextCursor)]
  })

/** The line below a page that is not the last. */
export const more = (nextCursor: string | null): string =>
  nextCursor === null ? '' : `\n\nNext page: repeat with --cursor ${nextCursor}`
