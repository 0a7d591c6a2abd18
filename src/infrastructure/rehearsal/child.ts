import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import type { RehearsalAnswer, RehearsalRequest, Rehearsals } from '../../application/ports/rehearsals.ts'
import { UnavailableError } from '../../application/shared/errors.ts'
import { childEnv } from '../shared/die-with-parent.ts'
import type { RehearsalMessage, RehearsalTask } from './messages.ts'
import { undo } from './transaction.ts'

export interface ChildOptions {
  /** The arguments of node for a process that runs `serveRehearsal`: a script and its own. */
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly databaseUrl: string
  /** Sees to it that the database has undone what a killed process was doing. */
  readonly pool: Pool
  /** Whether any of the handlers has a codec: asking costs the start of a process. */
  readonly hasCodecs: boolean
}

/** Rehearsals in processes of their own; the bus fills in its database. */
export type RehearsalProcess = Pick<ChildOptions, 'command' | 'env' | 'hasCodecs'>

const AT_ONCE = 4
const STARTS_WITHIN_MS = 15_000
/** After its deadline a handler that looks at its signal may end by itself, and the process tell of it. */
const GRACE_MS = 500

/** Each rehearsal in a process of its own: a handler that takes it down, or never comes back, harms nobody else. */
export const createChildRehearsals = (options: ChildOptions): Rehearsals => {
  let running = 0
  const limited = async <A>(work: () => Promise<A>): Promise<A> => {
    if (running >= AT_ONCE) {
      throw new UnavailableError(`${AT_ONCE} rehearsals are running, which is the most at once: try again in a moment`)
    }
    running++
    try {
      return await work()
    } finally {
      running--
    }
  }
  return {
    faultsOf: async (domain, commandType, data) => {
      if (!options.hasCodecs) return []
      const ended = await limited(() => ask(options, { kind: 'check', domain, commandType, data }, STARTS_WITHIN_MS))
      if (ended.message?.kind === 'checked') return ended.message.faults
      throw new UnavailableError(`the payload could not be checked by its handler's codec: ${ended.how}`)
    },
    run: request => limited(() => run(options, request)),
  }
}

const run = async (options: ChildOptions, request: RehearsalRequest): Promise<RehearsalAnswer> => {
  const id = randomUUID()
  const ended = await ask(options, { kind: 'run', id, request }, request.deadlineMs + GRACE_MS)
  if (ended.message?.kind === 'ran') return ended.message.answer
  await undo(options.pool, id)
  const { tookMs } = ended
  if (tookMs === null) throw new UnavailableError(`the handlers could not be loaded for a rehearsal: ${ended.how}`)
  return ended.late
    ? { kind: 'timeout', message: `the handler did not end within ${request.deadlineMs} ms`, durationMs: tookMs }
    : { kind: 'crashed', message: `the handler took its process down: ${ended.how}`, durationMs: tookMs }
}

interface Ended {
  /** The last word of the process; null: it ended without one. */
  readonly message: Exclude<RehearsalMessage, { kind: 'began' }> | null
  /** How it ended. */
  readonly how: string
  /** It was killed because it took too long. */
  readonly late: boolean
  /** Since the handler began; null: it never did. */
  readonly tookMs: number | null
}

/** Starts a process for one task, and comes back when that process is gone. */
const ask = ({ command, env, databaseUrl }: ChildOptions, task: RehearsalTask, withinMs: number): Promise<Ended> =>
  new Promise(resolve => {
    const child: ChildProcess = spawn(process.execPath, command, {
      env: childEnv({ ...env, DATABASE_URL: databaseUrl }),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    let message: Ended['message'] = null
    let late = false
    let began: number | null = null
    const kill = (): void => {
      late = true
      child.kill('SIGKILL')
    }
    let clock = setTimeout(kill, STARTS_WITHIN_MS)
    child.on('message', (said: RehearsalMessage) => {
      if (said.kind !== 'began') {
        message = said
        return
      }
      began = performance.now()
      clearTimeout(clock)
      clock = setTimeout(kill, withinMs)
    })
    const end = (how: string): void => {
      clearTimeout(clock)
      const tookMs = began === null ? null : Math.round(performance.now() - began)
      const why = message?.kind === 'failed' ? message.message : how
      resolve({ message, how: why, late: late && message === null, tookMs })
    }
    child.on('close', (code, signal) =>
      end(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
    )
    child.on('error', error => end(error.message))
    child.send(task, () => {})
  })
