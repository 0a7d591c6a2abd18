import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Log } from '../../application/ports/log.ts'
import { childEnv } from '../shared/die-with-parent.ts'
import type { MetricsSnapshot } from '../telemetry/metrics.ts'
import { isWorkerReport, type WorkerReport } from './worker-report.ts'

export interface SupervisorOptions {
  /** The arguments of node: a script and its arguments. */
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  /** How long a child may take to stop before it is killed, in milliseconds. */
  readonly deadlineMs: number
}

export interface Supervisor {
  /** The child's last report, if it is recent. */
  readonly report: () => WorkerReport
  /** The child's last metrics. Counters of an earlier child are lost, as with any restart. */
  readonly metrics: () => MetricsSnapshot
  /** Resolves when a child works. */
  readonly working: Promise<void>
  /** Stops the child, waits for its end, and starts no other. */
  readonly stop: () => Promise<void>
  /** Kills the child at once. */
  readonly kill: () => void
}

const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 10_000
/** A child that lived this long has started successfully. */
const SETTLED_MS = 10_000
const FRESH_MS = 5_000

/** Keeps one child process alive: restarts it when it dies, after longer and longer waits if it dies early. */
export const startSupervisor = ({ command, env, log, deadlineMs }: SupervisorOptions): Supervisor => {
  let child: ChildProcess | null = null
  let stopping = false
  let wait = FIRST_WAIT_MS
  let restart: NodeJS.Timeout | null = null
  let said: { readonly at: number; readonly report: WorkerReport } | null = null
  let metrics: MetricsSnapshot = []
  let ended = 'it has not started yet'
  let works: () => void = () => {}
  const working = new Promise<void>(resolve => {
    works = resolve
  })

  const start = (): void => {
    const began = Date.now()
    const mine = spawn(process.execPath, command, { env: childEnv(env), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child = mine
    mine.on('message', message => {
      if (!isWorkerReport(message)) return
      said = { at: Date.now(), report: message }
      if (message.metrics !== undefined) metrics = message.metrics
      works()
    })
    const onEnd = (how: string): void => {
      if (child !== mine) return
      child = null
      said = null
      metrics = []
      ended = how
      if (stopping) return
      if (Date.now() - began >= SETTLED_MS) wait = FIRST_WAIT_MS
      log.warn({ worker: mine.pid, how, restartInMs: wait }, 'the worker process ended; starting another one')
      restart = setTimeout(start, wait)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
    mine.on('exit', (code, signal) =>
      onEnd(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
    )
    mine.on('error', error => onEnd(error.message))
    log.info({ worker: mine.pid }, 'the worker process was started')
  }

  const stop = async (): Promise<void> => {
    stopping = true
    if (restart !== null) clearTimeout(restart)
    const last = child
    if (last === null) return
    const gone = once(last, 'exit')
    last.kill('SIGTERM')
    const deadline = setTimeout(() => {
      log.warn({ worker: last.pid }, 'the worker process does not end; killing it')
      last.kill('SIGKILL')
    }, deadlineMs)
    await gone
    clearTimeout(deadline)
  }

  start()
  return {
    report: () => {
      if (said !== null && Date.now() - said.at < FRESH_MS) return said.report
      const why = child === null ? `the worker process is down (${ended})` : 'the worker process does not report'
      return { kind: 'worker-report', workers: [], health: { status: 'critical', reasons: [why] } }
    },
    metrics: () => metrics,
    working,
    stop,
    kill: () => {
      stopping = true
      child?.kill('SIGKILL')
    },
  }
}
