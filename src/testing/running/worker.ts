import type { Ids } from '../../application/ports/ids.ts'
import { InvalidInputError } from '../../application/shared/errors.ts'
import { createEnding } from '../../infrastructure/worker/attempt/ending.ts'
import { definitionOf, type Handler, isHandler } from '../../infrastructure/worker/attempt/handler.ts'
import { createRegistry } from '../../infrastructure/worker/registry.ts'
import { settingsOf, stopDeadlineOf } from '../../infrastructure/worker/settings.ts'
import type { Worker, WorkerOptions } from '../../infrastructure/worker/worker-api.ts'
import { NotInMemoryError } from '../memory/refusals.ts'
import { createHands, type HandsDeps } from './hands.ts'

export interface MemoryWorkerDeps extends HandsDeps {
  readonly ids: Ids
  readonly onStart: (worker: MemoryWorker) => void
  readonly onStop: (worker: MemoryWorker) => void
}

export interface MemoryWorker {
  readonly domain: string
  readonly leaseMs: number
  readonly hands: Omit<ReturnType<typeof createHands>, 'reporter' | 'pausing' | 'hiding' | 'queues'>
}

/** A worker that works when a test says so, with the same calls as the real one. */
export const createMemoryWorker = (deps: MemoryWorkerDeps, options: WorkerOptions): Worker => {
  if (options.adoptStrangers === true) throw new NotInMemoryError('messages of other programs (`adoptStrangers`)')
  const settings = settingsOf({ concurrency: 1, ...options })
  const { domain, leaseMs } = settings
  const workerId = `worker:${options.workerId ?? deps.ids.next()}`
  const registry = createRegistry({ domain, transactional: true })
  const handle = (commandType: string, handler: Handler): void => {
    if (isHandler(handler) && definitionOf(handler).transactional === true) {
      throw new NotInMemoryError(`transactions for handlers (\`transactional: true\` of '${commandType}')`)
    }
    registry.handle(commandType, handler)
  }
  for (const [commandType, handler] of Object.entries(options.handlers ?? {})) handle(commandType, handler)
  const hands = createHands(deps, { settings, workerId, handlerOf: registry.handlerOf })
  const self: MemoryWorker = { domain, leaseMs, hands }
  let phase: 'made' | 'working' | 'stopped' = 'made'
  let stopped: Promise<void> | null = null

  const halt = (): void => {
    phase = 'stopped'
    hands.pausing.stop()
    deps.onStop(self)
  }
  const ending = createEnding({
    queue: hands.queues,
    name: hands.name,
    transact: deps.transact,
    clock: deps.clock,
    log: deps.log,
    take: () => [],
    handling: hands.handling,
    unreported: hands.unreported,
    hiding: hands.hiding,
    halt,
    stopBeating: async () => {},
    stopReporting: hands.reporter.giveUp,
    fetched: async () => {},
    ended: () => {},
  })

  return {
    workerId,
    handle,
    start: async () => {
      if (phase !== 'made') throw new InvalidInputError('worker', 'it was started already; create another one')
      phase = 'working'
      await hands.queues.ensure(hands.name)
      await hands.pausing.start()
      deps.onStart(self)
    },
    stop: ({ deadlineMs } = {}) => {
      stopped ??= ending.stop(stopDeadlineOf(deadlineMs))
      return stopped
    },
    crashed: (error, { withinMs = 2_000 } = {}) => {
      stopped ??= ending.crash(error, withinMs)
      return stopped
    },
    health: () =>
      phase === 'working'
        ? { status: 'healthy', reasons: [] }
        : { status: 'critical', reasons: [phase === 'made' ? 'the worker is not started' : 'the worker has stopped'] },
    handlerOf: registry.handlerOf,
    mapError: settings.mapError,
  }
}
