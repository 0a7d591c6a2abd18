import type { Log } from '../../application/ports/log.ts'
import type { Rehearsals } from '../../application/ports/rehearsals.ts'
import { createSensitivePaths } from '../postgres/sensitive/sensitive-store.ts'
import { createPool } from '../postgres/transactions/pool.ts'
import { dieWithParent } from '../shared/die-with-parent.ts'
import { createRehearsals } from './in-process.ts'
import type { ModuleHandlers } from './known-handlers.ts'
import type { RehearsalMessage, RehearsalTask } from './messages.ts'
import type { KeptConnection } from './transaction.ts'

export interface ServeOptions {
  readonly databaseUrl: string
  readonly databaseTimeoutMs: number | undefined
  /** Called only when there is a task. */
  readonly handlers: () => Promise<ModuleHandlers>
  readonly log: Log
}

/**
 * Does one task in a process started for it, sends the result to its parent, and resolves; then the process can end. After the
 * task `stay` it does tasks until its parent has no more.
 */
export const serveRehearsal = async ({
  databaseUrl,
  databaseTimeoutMs,
  handlers,
  log,
}: ServeOptions): Promise<void> => {
  dieWithParent({ graceMs: 0 })
  const next = tasks()
  const first = await next()
  const tell = (message: RehearsalMessage): Promise<void> =>
    new Promise(resolve => {
      if (process.send === undefined) resolve()
      else process.send(message, undefined, undefined, () => resolve())
    })
  try {
    const pool = createPool(databaseUrl, 1, databaseTimeoutMs)
    const known = await handlers()
    const kept: KeptConnection | undefined = first.kind === 'stay' ? { client: null } : undefined
    const sensitive = createSensitivePaths(pool)
    const rehearsalsFor = (task: RehearsalTask): Rehearsals =>
      createRehearsals({
        pool,
        handlers: known,
        log,
        sensitive,
        onBegan: () => void tell({ kind: 'began' }),
        ...(kept === undefined ? {} : { kept }),
        ...(task.kind === 'run' ? { id: () => task.id } : {}),
      })
    if (first.kind !== 'stay') return await tell(await done(first, rehearsalsFor(first)))
    await tell({ kind: 'stays', handlers: known.listed() })
    // until the parent ends this process
    for (;;) {
      const task = await next()
      await tell(await done(task, rehearsalsFor(task)))
    }
  } catch (error) {
    await tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

/** Takes the messages of the parent, also those that come before they are asked for. */
const tasks = (): (() => Promise<RehearsalTask>) => {
  const come: RehearsalTask[] = []
  let wake = (): void => {}
  process.on('message', task => {
    come.push(task as RehearsalTask)
    wake()
  })
  return async () => {
    for (;;) {
      const task = come.shift()
      if (task !== undefined) return task
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
}

const done = async (task: RehearsalTask, rehearsals: Rehearsals): Promise<RehearsalMessage> => {
  switch (task.kind) {
    case 'run':
      return { kind: 'ran', answer: await rehearsals.run(task.request) }
    case 'check':
      return { kind: 'checked', faults: await rehearsals.faultsOf(task.domain, task.commandType, task.data, null) }
    case 'domains':
      return { kind: 'known', domains: await rehearsals.domains() }
    case 'stay':
      return { kind: 'failed', message: 'it stays already' }
  }
}
