import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { RehearsalSession } from '../../application/ports/deploying.ts'
import type { RehearsalAnswer, RehearsalRequest } from '../../application/ports/rehearsals.ts'
import { UnavailableError } from '../../application/shared/errors.ts'
import { childEnv } from '../shared/die-with-parent.ts'
import { type ChildOptions, GRACE_MS, STARTS_WITHIN_MS } from './child.ts'
import type { RehearsalMessage, RehearsalTask } from './messages.ts'
import { undo } from './transaction.ts'

type Stays = Extract<RehearsalMessage, { kind: 'stays' }>

/** A process that has loaded the handlers. */
interface Running {
  readonly child: ChildProcess
  readonly stays: Stays
  /** How the process ended, once it has. */
  readonly ended: Promise<string>
}

/**
 * Rehearses one command after the other in a process of their own: to start one for each would take most of the time. A process
 * that has crashed, or in which a handler may still run, is replaced.
 */
export const openRehearsalSession = (options: Omit<ChildOptions, 'hasCodecs'>): RehearsalSession => {
  let present: Promise<Running> | null = null
  const current = (): Promise<Running> => {
    present ??= start(options)
    return present
  }
  const drop = async (): Promise<void> => {
    const last = present
    present = null
    const running = await last?.catch(() => null)
    if (running == null) return
    running.child.kill('SIGKILL')
    await running.ended
  }
  return {
    handlers: async () => (await current()).stays.handlers,
    run: async request => {
      const id = randomUUID()
      const { answer, isUsable } = await runIn(await current(), id, request)
      if (isUsable) return answer
      await drop()
      await undo(options.pool, id)
      return answer
    },
    close: drop,
  }
}

const start = async ({ command, env, databaseUrl }: Omit<ChildOptions, 'hasCodecs'>): Promise<Running> => {
  const child = spawn(process.execPath, command, {
    env: childEnv({ ...env, DATABASE_URL: databaseUrl }),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = endOf(child)
  const clock = setTimeout(() => child.kill('SIGKILL'), STARTS_WITHIN_MS)
  send(child, { kind: 'stay' })
  const first = await Promise.race([messageOf(child, 'began'), ended])
  clearTimeout(clock)
  if (typeof first !== 'string' && first.kind === 'stays') return { child, stays: first, ended }
  child.kill('SIGKILL')
  const why = typeof first === 'string' ? first : first.kind === 'failed' ? first.message : 'it answered something else'
  throw new UnavailableError(`the handlers could not be loaded for rehearsals: ${why}`)
}

const runIn = async (
  { child, ended }: Running,
  id: string,
  request: RehearsalRequest,
): Promise<{ readonly answer: RehearsalAnswer; readonly isUsable: boolean }> => {
  let began = performance.now()
  let late = false
  const kill = (): void => {
    late = true
    child.kill('SIGKILL')
  }
  let clock = setTimeout(kill, STARTS_WITHIN_MS + request.deadlineMs)
  const onBegan = (message: RehearsalMessage): void => {
    if (message.kind !== 'began') return
    began = performance.now()
    clearTimeout(clock)
    clock = setTimeout(kill, request.deadlineMs + GRACE_MS)
  }
  child.on('message', onBegan)
  const said = messageOf(child, 'began')
  send(child, { kind: 'run', id, request })
  const end = await Promise.race([said, ended])
  clearTimeout(clock)
  child.off('message', onBegan)
  const durationMs = Math.round(performance.now() - began)
  // a handler that did not end in time may still run
  if (typeof end !== 'string' && end.kind === 'ran')
    return { answer: end.answer, isUsable: end.answer.kind !== 'timeout' }
  if (late) {
    const message = `the handler did not end within ${request.deadlineMs} ms`
    return { answer: { kind: 'timeout', message, durationMs }, isUsable: false }
  }
  const why = typeof end === 'string' ? end : end.kind === 'failed' ? end.message : 'it answered something else'
  if (typeof end !== 'string') throw new UnavailableError(`the command could not be rehearsed: ${why}`)
  return {
    answer: { kind: 'crashed', message: `the handler took its process down: ${why}`, durationMs },
    isUsable: false,
  }
}

/** A process that is gone shows itself by its end. */
const send = (child: ChildProcess, task: RehearsalTask): void => void child.send(task, () => {})

/** The next message, unless it is of this kind. */
const messageOf = (child: ChildProcess, not: RehearsalMessage['kind']): Promise<RehearsalMessage> =>
  new Promise(resolve => {
    const onMessage = (message: RehearsalMessage): void => {
      if (message.kind === not) return
      child.off('message', onMessage)
      resolve(message)
    }
    child.on('message', onMessage)
  })

const endOf = async (child: ChildProcess): Promise<string> => {
  try {
    const [code, signal] = await once(child, 'close')
    return signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
