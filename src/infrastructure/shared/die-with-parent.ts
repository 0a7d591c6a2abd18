import { Worker } from 'node:worker_threads'

/** Holds the process id of a child's parent: the child itself may read `process.ppid` too late. */
const PARENT = 'COMMANDBUS_PARENT_PID'

/** The environment of a child that calls `dieWithParent`. */
export const childEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, [PARENT]: String(process.pid) })

export interface DieWithParentOptions {
  /** How long the process may take to end by itself once its parent is gone, in milliseconds. 0: it is killed at once. */
  readonly graceMs: number
  /** Called when the parent is gone, if there is a grace period and the event loop still runs. */
  readonly onGone?: () => void
}

const CHECK_EVERY_MS = 250
/** A process that does not answer its watchdog within this time is in an endless loop and is killed. */
const ANSWER_WITHIN_MS = 2_000

/**
 * Ends this process when its parent is gone, however the parent ended. A thread watches the parent, as a process in an endless
 * loop notices nothing itself. Only for a process that was started with `childEnv`.
 */
export const dieWithParent = ({ graceMs, onGone }: DieWithParentOptions): void => {
  const parent = Number(process.env[PARENT] ?? process.ppid)
  // a process that a handler starts must not inherit it: it has another parent
  delete process.env[PARENT]
  const watch = `
    const { parentPort, workerData: { parent, graceMs } } = require('node:worker_threads')
    const kill = () => process.kill(process.pid, 'SIGKILL')
    const check = () => {
      if (process.ppid === parent) return
      clearInterval(timer)
      if (graceMs === 0) return kill()
      const unanswered = setTimeout(kill, ${ANSWER_WITHIN_MS})
      parentPort.once('message', () => clearTimeout(unanswered))
      parentPort.postMessage('gone')
      setTimeout(kill, graceMs)
    }
    const timer = setInterval(check, ${CHECK_EVERY_MS})
    check()`
  const thread = new Worker(watch, { eval: true, execArgv: [], env: {}, workerData: { parent, graceMs } })
  thread.on('message', () => {
    thread.postMessage('answer')
    onGone?.()
  })
  thread.unref()
}
