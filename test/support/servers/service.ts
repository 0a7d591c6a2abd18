import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { collect, type useProgram } from './cli.ts'

type Program = ReturnType<typeof useProgram>

export interface Service {
  readonly url: string
  readonly pid: number
  /** The token that the service prints, signed with its own secret; empty where an identity provider signs. */
  readonly token: string
  /** Pids of the worker processes so far, from the logs. */
  readonly workers: () => readonly number[]
  /** Entries of the log so far. */
  readonly log: () => readonly { readonly [field: string]: unknown }[]
  readonly signal: (name: NodeJS.Signals) => void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts the service on a free port; resolves once it says that it runs. */
export const startService = async (
  program: Program,
  env: { readonly [name: string]: string },
  args: readonly string[] = ['--demo'],
): Promise<Service> => {
  const child = program.launch(['start', '--port', '0', '--json', ...args], { env })
  const output = collect(child)
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal)
  for await (const _ of child.stdout ?? []) if (isWhole(output.stdout)) break
  if (!isWhole(output.stdout)) throw new Error(`the service did not start: ${output.stderr}`)
  const { url, pid, token = '' } = JSON.parse(output.stdout)
  const log = () =>
    output.stderr
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  return {
    url,
    pid,
    token,
    log,
    workers: () => [...new Set(log().flatMap(({ name, pid: worker }) => (name === 'worker' ? [Number(worker)] : [])))],
    signal: name => child.kill(name),
    ended,
  }
}

const isWhole = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export interface Readiness {
  readonly code: number
  readonly status: string
  readonly reasons: readonly string[]
  readonly checks: { readonly [part: string]: { readonly status: string } }
}

/** The answer of the readiness check; `token` gives access to the reasons. */
export const readiness = async (url: string, token = ''): Promise<Readiness> => {
  const response = await fetch(`${url}/health/ready`, { headers: { authorization: `Bearer ${token}` } })
  const body = (await response.json()) as Omit<Readiness, 'code'>
  return { ...body, code: response.status }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch {
    return false
  }
}

/** The process has ended, but its parent has not read its exit status. */
const isZombie = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** Calls `look` again and again until `is` holds for its result; the test's timeout ends the wait. */
export const eventually = async <A>(look: () => A | Promise<A>, is: (seen: A) => boolean): Promise<A> => {
  for (;;) {
    const seen = await look()
    if (is(seen)) return seen
    await delay(20)
  }
}
