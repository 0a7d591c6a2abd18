import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import type { RehearsalAnswer, RehearsalRequest, Rehearsals } from '../../application/ports/rehearsals.ts'
import { UnavailableError } from '../../application/shared/errors.ts'
import { childEnv } from '../shared/die-with-parent.ts'
import type { RehearsalMessage, RehearsalTask } from './messages.ts'
import { createPlaces } from './places.ts'
import { undo } from './transaction.ts'

export interface ChildOptions {
  /** The arguments of node for a process that runs `serveRehearsal`: a script and its arguments. */
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly databaseUrl: string
  /** Makes sure that the database has rolled back what a killed process was doing. */
  readonly pool: Pool
  /** Whether any handler has a codec. If not, checking a payload needs no process. */
  readonly hasCodecs: boolean
}

/** Rehearsals in processes of their own; the bus fills in its database. */
export type RehearsalProcess = Pick<ChildOptions, 'command' | 'env' | 'hasCodecs'>

export const STARTS_WITHIN_MS = 15_000
/** After its deadline, a handler that checks its signal has this long to end and its process to report it. */
export const GRACE_MS = 500

/** Runs each rehearsal in its own process: a handler that crashes it, or never ends, harms nothing else. */
export const createChildRehearsals = (options: ChildOptions): Rehearsals => {
  const inPlace = createPlaces('rehearsals are running')
  // separate places, so that handlers that never end do not block edits of payloads
  const checkInPlace = createPlaces('payloads are being checked')
  let domains: Promise<readonly string[]> | null = null
  return {
    domains: () => {
      domains ??= domainsOf(options).catch(error => {
        domains = null
        throw error
      })
      return domains
    },
    faultsOf: async (domain, commandType, data, tenantId) => {
      if (!options.hasCodecs) return []
      const ended = await checkInPlace(tenantId, () =>
        ask(options, { kind: 'check', domain, commandType, data }, STARTS_WITHIN_MS),
      )
      if (ended.message?.kind === 'checked') return ended.message.faults
      throw new UnavailableError(`the payload could not be checked by its handler's codec: ${ended.how}`)
    },
    run: request => inPlace(request.command.tenantId, () => run(options, request)),
  }
}

/** The modules do not change while the service runs: they are asked once. */
const domainsOf = async (options: ChildOptions): Promise<readonly string[]> => {
  const { message, how } = await ask(options, { kind: 'domains' }, STARTS_WITHIN_MS)
  if (message?.kind === 'known') return message.domains
  throw new UnavailableError(`the handlers could not be loaded for rehearsals: ${how}`)
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
  /** The last message of the process; null: it ended without one. */
  readonly message: Exclude<RehearsalMessage, { kind: 'began' }> | null
  /** How it ended. */
  readonly how: string
  /** It was killed because it took too long. */
  readonly late: boolean
  /** Milliseconds since the handler began; null: it did not. */
  readonly tookMs: number | null
}

/** Starts a process for one task, and resolves when that process is gone. */
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
