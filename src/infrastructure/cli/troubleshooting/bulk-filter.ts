import type { Command } from 'commander'
import { defined } from '../../../application/shared/input.ts'
import type { ActionFilter } from '../../../domain/command/parking.ts'
import { UsageError } from '../support/failure.ts'

/** The flags with which an operator selects many commands at once. */
export interface BulkFlags {
  readonly domain?: string
  readonly type?: string
  readonly errorCode?: string
  readonly frame?: string
  readonly from?: string
  readonly to?: string
  readonly all?: true
}

export const bulkFlags = (command: Command): Command =>
  command
    .option('--type <type>', 'instead of ids: all of this command type')
    .option('--error-code <code>', 'instead of ids: all whose last error has this code')
    .option('--frame <place>', 'instead of ids: all whose last error was thrown there; none: where that is not known')
    .option('--from <time>', 'instead of ids: all parked at or after this ISO 8601 time')
    .option('--to <time>', 'instead of ids: all parked before this ISO 8601 time')
    .option('--all', 'instead of ids: everything that is parked')

/**
 * The filter that the flags describe; null when commands are named by id. To select everything takes an explicit flag.
 * @throws UsageError
 */
export const bulkFilterOf = (ids: readonly string[], flags: BulkFlags): ActionFilter | null => {
  const { domain, type, errorCode, frame, from, to, all } = flags
  const narrowed = [type, errorCode, frame, from, to].some(flag => flag !== undefined)
  if (ids.length > 0) {
    if (narrowed || all) throw new UsageError('name commands by id, or choose them with flags, not both')
    return null
  }
  if (all && (narrowed || domain !== undefined)) {
    throw new UsageError('--all means everything that is parked: leave it out, or the other flags')
  }
  if (!all && !narrowed && domain === undefined) {
    throw new UsageError("missing required argument 'ids': name commands, choose them (--error-code ...), or say --all")
  }
  return defined({ domain, commandType: type, errorCode, frame, from, to })
}
