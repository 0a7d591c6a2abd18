import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { Log } from '../../../application/ports/log.ts'
import { type HideValues, hidingValuesOf } from '../../../application/sensitive/hide-values.ts'
import type { SensitivePath, SensitivePaths } from '../../../application/sensitive/sensitive-paths.ts'
import { endsWithin } from '../../shared/within.ts'

/** What hides the sensitive values of a command in what is written about its failure. */
export interface Hiding {
  readonly begin: () => void
  /** By what is declared now; without an answer of the database, by what was known last. Never rejects. */
  readonly of: (job: WorkItem) => Promise<HideValues>
  /** By what was known last. */
  readonly now: (job: WorkItem) => HideValues
}

export interface HidingDeps {
  readonly known: SensitivePaths['known']
  readonly handlerOf: (commandType: string) => { readonly sensitive?: readonly string[] } | undefined
  readonly log: Log
}

/** How long a failure waits for what others have declared. */
const PATIENCE_MS = 1_000

export const createHiding = ({ known, handlerOf, log }: HidingDeps): Hiding => {
  let last: readonly SensitivePath[] = []
  const read = async (): Promise<void> => {
    last = await known()
  }
  const now = ({ key: { domain }, command: { sent, data } }: WorkItem): HideValues => {
    const { commandType } = sent
    const own = (handlerOf(commandType)?.sensitive ?? []).map(path => ({ domain, commandType, path }))
    return hidingValuesOf(data, [...own, ...last], { domain, commandType })
  }
  return {
    begin: () =>
      void read().catch(error =>
        log.warn(
          { err: error },
          'which members others have declared as sensitive cannot be read: errors may name them',
        ),
      ),
    of: async job => {
      await endsWithin(PATIENCE_MS, read).catch(() => {})
      return now(job)
    },
    now,
  }
}

/** An error for a log, without these values. */
export const errorWithout = (error: unknown, hide: HideValues): unknown => {
  if (!(error instanceof Error)) return typeof error === 'string' ? hide(error) : error
  const { name, message, stack, cause } = error
  const [shown, shownStack] = [hide(message), hide(stack ?? '')]
  if (shown === message && shownStack === (stack ?? '') && cause === undefined) return error
  const hidden = new Error(shown, cause === undefined ? {} : { cause: errorWithout(cause, hide) })
  return Object.assign(hidden, { name, stack: shownStack }, 'code' in error ? { code: error.code } : {})
}
