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

/** `--all` reads so many rows. */
const ALL = 50_000

/** The flag of lists that have pages. */
export const allPages = ['--all', `all pages, up to ${ALL} rows`] as const

/** The same with a page of a list, as a table; `none` is the text of an empty one. With `--all` the pages that follow, too. */
export const printPage = <Item>(
  deps: CliDeps,
  flags: Flags & { readonly all?: true },
  call: (bus: CommandBus, from: { readonly cursor?: string }) => Promise<Page<Item>>,
  columns: readonly Column<Item>[],
  none: string,
): Promise<void> =>
  printAnswer(deps, flags, async bus => {
    const page = await pagesOf(from => call(bus, from), flags.all === true)
    return [page, page.items.length === 0 ? none : table(page.items, columns) + more(page.nextCursor)]
  })

/** A page, or with `all` those that follow as well, as one. */
export const pagesOf = async <P extends Page<unknown>>(
  call: (from: { readonly cursor?: string }) => Promise<P>,
  all: boolean,
): Promise<P> => {
  let page = await call({})
  while (all && page.nextCursor !== null && page.items.length < ALL) {
    const next = await call({ cursor: page.nextCursor })
    page = { ...next, items: [...page.items, ...next.items] }
  }
  return page
}

/** The line below a page that is not the last. */
export const more = (nextCursor: string | null): string =>
  nextCursor === null ? '' : `\n\nNext page: repeat with --cursor ${nextCursor}, or all with --all`
