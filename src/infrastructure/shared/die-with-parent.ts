import { Worker } from 'node:worker_threads'

/** Holds the process id of whoever started a child; a child that reads `process.ppid` itself may be too late. */
const PARENT = 'COMMANDBUS_PARENT_PID'

/** The environment of a child that calls `dieWithParent`. */
export const childEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, [PARENT]: String(process.pid) })

export interface DieWithParentOptions {
  /** How long the process may take to end by itself once its parent is gone. 0: it is killed at once. */
  readonly graceMs: number
  /** Called when the parent is gone, if there is a grace period and the event loop still runs. */
  readonly onGone?: () => void
}

const LOOK_EVERY_MS = 250
/** A process that does not answer its own watchdog within this time is in an endless loop: it cannot end by itself. */
const ANSWER_WITHIN_MS = 2_000

/**
 * Ends this process when its parent is gone, however the parent ended. A thread watches, since a process whose handler is
 * in an endless loop notices nothing itself. Only for a process that was started with `childEnv`.
 */
export const dieWithParent = ({ graceMs, onGone }: DieWithParentOptions): void => {
  const parent = Number(process.env[PARENT] ?? process.ppid)
  // processes that a handler starts have another parent
  delete process.env[PARENT]
  const watch = `
    const { parentPort, workerData: { parent, graceMs } } = require('node:worker_threads')
    const kill = () => process.kill(process.pid, 'SIGKILL')
    const look = () => {
      if (process.ppid === parent) return
      clearInterval(timer)
      if (graceMs === 0) return kill()
      const unanswered = setTimeout(kill, ${ANSWER_WITHIN_MS})
      parentPort.once('message', () => clearTimeout(unanswered))
      parentPort.postMessage('gone')
      setTimeout(kill, graceMs)
    }
    const timer = setInterval(look, ${LOOK_EVERY_MS})
    look()`
  const thread = new Worker(watch, { eval: true, execArgv: [], env: {}, workerData: { parent, graceMs } })
  thread.on('message', () => {
    thread.postMessage('answer')
    onGone?.()
  })
  thread.unref()
}
