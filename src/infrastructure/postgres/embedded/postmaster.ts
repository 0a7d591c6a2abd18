import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Address, answers } from './connection.ts'
import { EmbeddedServerError } from './error.ts'
import { readText } from './files.ts'
import { failure } from './initdb.ts'
import type { Layout } from './layout.ts'
import { openLog } from './log-file.ts'
import { serverEnv } from './os-user.ts'
import { isPostgresOf, poll, postgresProcessesOf, signal } from './processes.ts'

/** Server settings (`-c name=value`) that win over the defaults. */
export type Settings = Readonly<Record<string, string>>

export interface Postmaster {
  readonly pid: number
  /** Undefined in the first moments of a start. */
  readonly port: number | undefined
}

const defaults: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'on',
  synchronous_commit: 'on',
  idle_in_transaction_session_timeout: '60s',
  autovacuum_naptime: '15s',
  autovacuum_vacuum_scale_factor: '0.05',
  autovacuum_analyze_scale_factor: '0.05',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  jit: 'off',
  logging_collector: 'off',
  log_checkpoints: 'off',
  log_min_error_statement: 'fatal',
}

const SHARED_BUFFERS = ['256MB', '64MB', '16MB'] as const

/** The server that runs in this data directory, by its pid file; a pid that another program has now does not count. */
export const readPostmaster = async (layout: Layout): Promise<Postmaster | undefined> => {
  const lines = (await readText(join(layout.dataDir, 'postmaster.pid')))?.split('\n')
  const pid = Number(lines?.[0])
  if (!isPostgresOf(pid, layout.dataDir)) return undefined
  const port = Number(lines?.[3])
  return { pid, port: port > 0 ? port : undefined }
}

/** After a crash: waits for leftover server processes to end (kills them after 5 s), then drops a stale pid file. */
export const clearCrash = async (layout: Layout): Promise<void> => {
  const gone = () => (postgresProcessesOf(layout.dataDir).length === 0 ? true : undefined)
  if ((await poll(gone, 5_000)) === undefined) {
    for (const pid of postgresProcessesOf(layout.dataDir)) signal(pid, 'SIGKILL')
    await poll(gone, 10_000)
  }
  // PostgreSQL handles the pid of a dead process, but not one that another process has now.
  if (process.platform === 'linux' && gone()) await rm(join(layout.dataDir, 'postmaster.pid'), { force: true })
}

/** `wanted` when it is free on the loopback interface, else any free port. */
export const freePort = (wanted = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', error => (wanted === 0 ? reject(error) : resolve(freePort())))
    probe.listen({ host: '127.0.0.1', port: wanted, exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(address)))
    })
  })

type Outcome = { readonly ready: true } | { readonly ready: false; readonly output: string }

/** Starts the server as a process that outlives this one, and waits until it answers. */
const spawnOnce = async (
  layout: Layout,
  programs: string,
  address: Address,
  settings: Settings,
  timeoutMs: number,
): Promise<Outcome> => {
  const { file, news } = await openLog(layout)
  let ended: string | undefined
  try {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(join(programs, 'postgres'), ['-D', layout.dataDir, ...args], {
      ...layout.runAs,
      cwd: '/',
      env: serverEnv(),
      detached: true,
      stdio: ['ignore', file.fd, file.fd],
    })
    child.on('error', error => {
      ended = error.message
    })
    child.on('exit', code => {
      ended = `postgres ended with code ${code}`
    })
    child.unref()
    const ready = await poll(
      async () => (ended !== undefined || (await answers(address, layout)) ? true : undefined),
      timeoutMs,
    )
    if (ready === true && ended === undefined) return { ready: true }
    if (ended === undefined && child.pid !== undefined) signal(child.pid, 'SIGQUIT')
  } finally {
    await file.close()
  }
  return { ready: false, output: `${await news()}\n${ended ?? `not ready after ${timeoutMs / 1000} s`}` }
}

/**
 * Starts the server on port `wanted`; if that is taken, on another one, unless `fixedPort`. Uses less shared memory where
 * the system grants little. Returns the port.
 */
export const launch = async (
  layout: Layout,
  programs: string,
  password: string,
  options: { wanted?: number; fixedPort?: boolean; settings: Settings; timeoutMs: number },
): Promise<number> => {
  const { wanted, fixedPort = false, timeoutMs } = options
  let output = ''
  let memory = 0
  for (let attempt = 0; attempt < 6; attempt++) {
    const port = fixedPort && wanted !== undefined ? wanted : await freePort(attempt === 0 ? wanted : 0)
    const settings = {
      ...defaults,
      shared_buffers: SHARED_BUFFERS[memory] ?? '16MB',
      ...options.settings,
      port: String(port),
    }
    const outcome = await spawnOnce(layout, programs, { port, password }, settings, timeoutMs)
    if (outcome.ready) return port
    output = outcome.output
    const crowded = /could not bind|Address already in use|could not create any TCP\/IP sockets/i.test(output)
    const tight = /could not (map anonymous|create|resize) shared memory|Cannot allocate memory/i.test(output)
    const leftovers = /pre-existing shared memory block|lock file "postmaster\.pid"/i.test(output)
    if (tight) memory++
    if (leftovers) await clearCrash(layout)
    if (!(crowded && !fixedPort) && !(tight && memory < SHARED_BUFFERS.length) && !leftovers) break
  }
  throw await failure('START_FAILED', `PostgreSQL did not start in ${layout.dataDir}`, output, layout)
}

/** Stops the server in fast mode, which ends sessions and leaves the data clean; after 60 s by force. */
export const stopPostmaster = async (layout: Layout): Promise<void> => {
  const running = await readPostmaster(layout)
  if (running === undefined) return
  const gone = () => (isPostgresOf(running.pid, layout.dataDir) ? undefined : true)
  signal(running.pid, 'SIGINT')
  if (await poll(gone, 60_000, 20)) return
  signal(running.pid, 'SIGQUIT')
  if (await poll(gone, 10_000)) return
  throw new EmbeddedServerError(
    'STOP_FAILED',
    `The embedded database of ${layout.home} (process ${running.pid}) does not stop: end that process.`,
  )
}
