import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { platform } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessRef {
  readonly pid: number
  readonly started: string
}

const linux = platform() === 'linux'

const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const bootId = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? ''

const ps = (pid: number, column: string): string | undefined =>
  attempt(() => execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim()) || undefined

/** When a process began, as an opaque text; undefined when it does not exist or is a zombie. */
const startedAt = (pid: number): string | undefined => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  if (!linux) return ps(pid, 'stat')?.startsWith('Z') ? undefined : ps(pid, 'lstart')
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The command name is in parentheses and may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields?.[0]
  return fields === undefined || state === 'Z' || state === 'X' ? undefined : `${bootId}/${fields[19]}`
}

/** This process. */
export const self = (): ProcessRef => ({ pid: process.pid, started: startedAt(process.pid) ?? '' })

/** True while exactly this process runs: a reused pid and a zombie count as gone. */
export const isAlive = (ref: ProcessRef): boolean => startedAt(ref.pid) === ref.started

/** Reads what `JSON.stringify(ref)` wrote; undefined for anything else. */
export const parseProcessRef = (text: string): ProcessRef | undefined => {
  const value: unknown = attempt(() => JSON.parse(text))
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value)) return undefined
  return typeof value.pid === 'number' && typeof value.started === 'string'
    ? { pid: value.pid, started: value.started }
    : undefined
}

/** True when `pid` is a PostgreSQL server process that works in `dataDir` (PostgreSQL makes it its current directory). */
export const isPostgresOf = (pid: number, dataDir: string): boolean => {
  if (startedAt(pid) === undefined) return false
  if (!linux) return ps(pid, 'comm')?.includes('postgres') ?? false
  if (attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) !== 'postgres') return false
  return attempt(() => readlinkSync(`/proc/${pid}/cwd`)) === dataDir
}

/** Server processes that work in `dataDir`, children included. Known on Linux only; elsewhere the list is empty. */
export const postgresProcessesOf = (dataDir: string): readonly number[] =>
  linux
    ? (attempt(() => readdirSync('/proc')) ?? [])
        .filter(name => /^\d+$/.test(name))
        .map(Number)
        .filter(pid => isPostgresOf(pid, dataDir))
    : []

/** Sends a signal; does nothing when the process is already gone. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  attempt(() => process.kill(pid, name))
}

/** Polls until `probe` gives a value other than undefined; resolves with undefined after `timeoutMs`. */
export const poll = async <A>(
  probe: () => A | undefined | Promise<A | undefined>,
  timeoutMs: number,
  intervalMs = 50,
): Promise<A | undefined> => {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined || Date.now() >= deadline) return found
    await sleep(intervalMs)
  }
}
