import { rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unpackPgmq } from '../schema/pgmq-files.ts'
import { prepareBinaries, shareWithServer } from './binaries.ts'
import { type Address, answers, ensureDatabase, urlOf } from './connection.ts'
import { EmbeddedServerError, messageOf } from './error.ts'
import { exists, explainFileError, readText, writePrivate } from './files.ts'
import { ensureDataDirectory, passwordOf } from './initdb.ts'
import { hasDatabase, type Layout, openHome, pointerFile, resolveLayout } from './layout.ts'
import { withLock } from './lock.ts'
import { trimLog } from './log-file.ts'
import { clearCrash, launch, readPostmaster, type Settings, stopPostmaster } from './postmaster.ts'
import { isPostgresOf, poll } from './processes.ts'
import { liveUsers, signOff, signOn } from './users.ts'

export { EmbeddedServerError, type EmbeddedServerErrorCode } from './error.ts'
export type { Settings } from './postmaster.ts'

export interface EmbeddedOptions {
  /** Directory of the server's files; default `.commandbus` of the current directory. */
  readonly home?: string
  /** Called with lines of progress for a person who waits. */
  readonly log?: (line: string) => void
  /** Watch the server while it is in use and start it again, on the same port, when it dies. Default false. */
  readonly supervise?: boolean
  /** Server settings that win over the defaults; used only when this call starts the server. */
  readonly settings?: Settings
  /** How long a start, with crash recovery, may take. Default 120000. */
  readonly timeoutMs?: number
}

/** A share in a running server; any number of processes may hold one. */
export interface EmbeddedServer {
  /** Connection string of the database `commandbus` as its owner, with the password. */
  readonly url: string
  /** Real, absolute path of the home directory. */
  readonly home: string
  readonly port: number
  /** False when the server was running already. */
  readonly startedHere: boolean
  /** Gives the share back; the last release stops the server. May be called more than once. */
  release(): Promise<void>
}

const PORT_FILE = 'postgres.port'

/** Waits while a server starts or stops; resolves with its port once it answers, or undefined when none runs. */
const runningPort = async (layout: Layout, password: string, timeoutMs: number): Promise<number | undefined> => {
  const state = await poll(async () => {
    const running = await readPostmaster(layout)
    if (running === undefined) return 'none'
    return running.port !== undefined && (await answers({ port: running.port, password }, layout))
      ? running.port
      : undefined
  }, timeoutMs)
  if (state === undefined)
    throw new EmbeddedServerError(
      'START_FAILED',
      `The embedded database of ${layout.home} runs but did not answer within ${timeoutMs / 1000} s: ` +
        `look into ${layout.logFile}.`,
    )
  return state === 'none' ? undefined : state
}

interface Running extends Address {
  readonly startedHere: boolean
}

const ensureRunning = async (layout: Layout, options: EmbeddedOptions, fixedPort?: number): Promise<Running> => {
  const { log = () => undefined, settings = {}, timeoutMs = 120_000 } = options
  const password = await passwordOf(layout)
  const found = await runningPort(layout, password, timeoutMs)
  if (found !== undefined) return { port: found, password, startedHere: false }
  log(`Starting PostgreSQL in ${layout.root}`)
  await clearCrash(layout)
  const programs = await prepareBinaries(layout)
  const pgmq = await unpackPgmq(layout.root)
  await shareWithServer(dirname(dirname(pgmq)), layout)
  await ensureDataDirectory(layout, programs, password, settings.fsync !== 'off')
  const wanted = fixedPort ?? Number((await readText(join(layout.home, PORT_FILE))) ?? 0)
  const port = await launch(layout, programs, password, {
    wanted,
    fixedPort: fixedPort !== undefined,
    settings: { extension_control_path: `${pgmq}:$system`, ...settings },
    timeoutMs,
  })
  await writePrivate(layout.home, PORT_FILE, String(port))
  log(`PostgreSQL listens on 127.0.0.1:${port}`)
  return { port, password, startedHere: true }
}

const stopWhenUnused = async (layout: Layout): Promise<void> => {
  if ((await liveUsers(layout.home)).length === 0) await stopPostmaster(layout)
  await trimLog(layout.logFile)
}

/** Calls `revive` when the server is gone; checks once a second and does not keep the process alive. */
const watch = (layout: Layout, revive: () => Promise<void>, log: (line: string) => void): (() => Promise<void>) => {
  let work: Promise<void> | undefined
  let pid = 0
  let ticks = 0
  const tick = async () => {
    if (ticks++ % 600 === 0) await trimLog(layout.logFile)
    if (isPostgresOf(pid, layout.dataDir)) return
    const running = await readPostmaster(layout)
    if (running === undefined) await revive()
    pid = running?.pid ?? 0
  }
  const timer = setInterval(() => {
    work ??= tick()
      .catch(error => log(`The embedded database could not be started again: ${messageOf(error)}`))
      .finally(() => {
        work = undefined
      })
  }, 1_000).unref()
  return async () => {
    clearInterval(timer)
    await work
  }
}

/**
 * Starts the PostgreSQL 18 server (with pgmq) whose data is in `home`, or attaches to it when it runs already, and
 * registers this process as one of its users. The server is a separate process on 127.0.0.1: it survives a killed user,
 * the next start attaches to it or recovers it, and the last user to release it stops it.
 * @throws EmbeddedServerError with a sentence that says what to do
 */
export const startEmbedded = async (options: EmbeddedOptions = {}): Promise<EmbeddedServer> => {
  const { home: wanted = '.commandbus', log = () => undefined, supervise = false } = options
  try {
    const home = await openHome(wanted)
    const share = await withLock(home, async () => {
      const layout = await resolveLayout(home)
      const running = await ensureRunning(layout, options)
      const user = await signOn(home)
      try {
        await ensureDatabase(running)
      } catch (error) {
        await signOff(home, user)
        await stopWhenUnused(layout)
        throw error
      }
      return { layout, user, ...running }
    })
    const { layout, user, port, startedHere } = share
    let released: Promise<void> | undefined
    const revive = () =>
      withLock(home, async () => {
        if (released !== undefined) return
        log('The embedded database has ended; starting it again')
        await ensureRunning(layout, options, port)
      })
    const unwatch = supervise ? watch(layout, revive, log) : async () => undefined
    const leave = async () => {
      await unwatch()
      if (!(await exists(home))) return
      await withLock(home, async () => {
        await signOff(home, user)
        await stopWhenUnused(layout)
      })
    }
    const release = () => {
      released ??= leave()
      return released
    }
    return { url: urlOf(share), home, port, startedHere, release }
  } catch (error) {
    throw explainFileError(error, wanted)
  }
}

/** What is known about the server of `home`, without starting it. */
export interface EmbeddedStatus {
  readonly home: string
  readonly running: boolean
  /** Pid of the server's main process. */
  readonly pid: number | undefined
  /** Connection string with the password, when it runs. */
  readonly url: string | undefined
  readonly dataDirectory: string
  readonly logFile: string
  /** Pids of the processes that use it. */
  readonly users: readonly number[]
}

/** Returns the status of the server of `home`; makes the directory when it is missing, but starts nothing. */
export const embeddedStatus = async (home = '.commandbus'): Promise<EmbeddedStatus> => {
  try {
    const path = await openHome(home)
    const layout = await resolveLayout(path)
    const running = await readPostmaster(layout)
    const url =
      running?.port === undefined ? undefined : urlOf({ port: running.port, password: await passwordOf(layout) })
    return {
      home: path,
      running: running !== undefined,
      pid: running?.pid,
      url,
      dataDirectory: layout.dataDir,
      logFile: layout.logFile,
      users: await liveUsers(path),
    }
  } catch (error) {
    throw explainFileError(error, home)
  }
}

/** Whether a database was made in `home`. Makes and starts nothing. */
export const hasEmbedded = (home: string): Promise<boolean> =>
  hasDatabase(home).catch(error => Promise.reject(explainFileError(error, home)))

/** Stops the server of `home`, even if it is in use, and deletes its data and files; other files in `home` stay. */
export const removeEmbedded = async (home: string): Promise<void> => {
  const path = await openHome(home)
  const layout = await resolveLayout(path)
  await withLock(path, async () => {
    await stopPostmaster(layout)
    await rm(layout.root, { recursive: true, force: true })
    if (dirname(layout.root) !== path) await rmdir(dirname(layout.root)).catch(() => undefined)
    await rm(pointerFile(path), { force: true })
    for (const name of ['postgres', 'postgres.password', PORT_FILE, 'postgres.log', 'users'])
      await rm(join(path, name), { recursive: true, force: true })
  })
  await rm(join(path, 'lock'), { recursive: true, force: true })
  await rmdir(path).catch(() => undefined)
}
