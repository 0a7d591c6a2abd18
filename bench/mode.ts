import { availableParallelism } from 'node:os'
import type { Options } from './options.ts'
import { type Database, openDatabase } from './server.ts'

/** One thing that can be measured. */
export type Mode = {
  /** What `--help` says of it, and of its options. */
  readonly usage: readonly string[]
  /** Gives the exit code. */
  readonly run: (options: Options) => Promise<number>
}

/** What a measurement found; `misses`: one sentence for each target that was missed. */
export type Report = { readonly table: string; readonly json: string; readonly misses?: readonly string[] }

type Measurement = {
  readonly database: Database
  readonly options: Options
  /** Throws when the user has asked for an end. */
  readonly check: () => void
}

export class Interrupted extends Error {}

export const say = (text: string) => process.stderr.write(`${text}\n`)

/** Ends the run after the measurement under way, so that the server and its files are removed; asked twice, at once. */
const interruptible = (): (() => void) => {
  let interrupted = false
  const interrupt = () => {
    interrupted = true
    say('Stopping after this measurement.')
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  return () => {
    if (interrupted) throw new Interrupted()
  }
}

/** Measures on a database of its own and prints what was found. */
export const onDatabase =
  (measure: (measurement: Measurement) => Promise<Report>, open: () => Promise<Database> = openDatabase): Mode['run'] =>
  async options => {
    const check = interruptible()
    const database = await open()
    try {
      say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
      const { table, json, misses = [] } = await measure({ database, options, check })
      process.stdout.write(`${options.json ? json : table}\n`)
      if (!options.check) return 0
      for (const miss of misses) say(miss)
      return misses.length === 0 ? 0 : 1
    } finally {
      await database.release()
    }
  }
