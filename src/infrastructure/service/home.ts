import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandBusError } from '../../application/shared/errors.ts'
import { exists, explainFileError, readText, writePrivate } from '../postgres/embedded/files.ts'
import { openHome } from '../postgres/embedded/layout.ts'
import { withLock } from '../postgres/embedded/lock.ts'
import { isAlive, parseProcessRef, poll, self } from '../postgres/embedded/processes.ts'

/** The service of a home. Its file exists while it runs, and also after it was killed. */
export interface RunningService {
  readonly pid: number
  /** Where it listens; null while it starts. */
  readonly url: string | null
  readonly stopping: boolean
}

interface Entry extends RunningService {
  readonly started: string
  readonly parent: number
}

const FILE = 'service.json'
/** How long to wait for a service that is stopping. */
const STOPPING_MS = 45_000

const read = async (home: string): Promise<Entry | undefined> => {
  const text = await readText(join(home, FILE))
  const ref = text === undefined ? undefined : parseProcessRef(text)
  return text === undefined || ref === undefined || !isAlive(ref) ? undefined : (JSON.parse(text) as Entry)
}

/** The service of this home, if one is alive. */
export const runningService = async (home: string): Promise<RunningService | undefined> => {
  const entry = (await exists(home)) ? await read(home) : undefined
  return entry === undefined ? undefined : { pid: entry.pid, url: entry.url, stopping: entry.stopping }
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

export interface Claim {
  readonly update: (state: { readonly url: string | null; readonly stopping: boolean }) => Promise<void>
  readonly release: () => Promise<void>
}

/**
 * Makes this process the only service of the home. Waits for one that is stopping.
 * @throws CommandBusError ALREADY_RUNNING, which names the other's pid and address
 */
export const claimHome = async (wanted: string): Promise<Claim> => {
  try {
    const home = await openHome(wanted)
    const mine = { ...self(), parent: process.ppid }
    const update: Claim['update'] = state => writePrivate(home, FILE, JSON.stringify({ ...mine, ...state }))
    const tryClaim = (): Promise<Entry | undefined> =>
      withLock(home, async () => {
        const other = await read(home)
        if (other === undefined) await update({ url: null, stopping: false })
        return other
      })
    let other = await tryClaim()
    if (other !== undefined && (other.stopping || isGone(other.parent))) {
      const ended = async (): Promise<true | undefined> => {
        other = await tryClaim()
        return other === undefined ? true : undefined
      }
      await poll(ended, STOPPING_MS, 200)
    }
    if (other !== undefined) throw alreadyRunning(home, other)
    return { update, release: () => rm(join(home, FILE), { force: true }) }
  } catch (error) {
    throw explainFileError(error, wanted)
  }
}

const alreadyRunning = (home: string, { pid, url }: Entry): CommandBusError =>
  new CommandBusError(
    'ALREADY_RUNNING',
    `a service runs already for ${home}, as process ${pid}${url === null ? '' : ` at ${url}`}: ` +
      'use that one, end it first, or set COMMANDBUS_HOME (and --port) to start another',
  )
