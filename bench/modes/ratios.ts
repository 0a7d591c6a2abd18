import { type Mode, onDatabase } from '../mode.ts'
import { json, missed, table } from '../report.ts'
import { compare } from '../rounds.ts'

/** What is measured when nothing else is asked for: all works, beside raw. */
export const ratios: Mode = {
  usage: ['quick            5,000 commands a work instead of 20,000'],
  run: onDatabase(async ({ database, options, check }) => {
    const rows = await compare(database.url, options, check)
    return { table: table(rows), json: json(rows), misses: missed(rows) }
  }),
}
