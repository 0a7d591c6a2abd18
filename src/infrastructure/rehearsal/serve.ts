import type { Log } from '../../application/ports/log.ts'
import type { Rehearsals } from '../../application/ports/rehearsals.ts'
import { createSensitivePaths } from '../postgres/sensitive/sensitive-store.ts'
import { createPool } from '../postgres/transactions/pool.ts'
import { dieWithParent } from '../shared/die-with-parent.ts'
import { createRehearsals, type DomainHandlers } from './in-process.ts'
import type { RehearsalMessage, RehearsalTask } from './messages.ts'

export interface ServeOptions {
  readonly databaseUrl: string
  readonly databaseTimeoutMs: number | undefined
  /** Called only when there is a task. */
  readonly handlers: () => Promise<DomainHandlers>
  readonly log: Log
}

/** Does one task in a process started for it, sends the result to its parent, and resolves; then the process can end. */
export const serveRehearsal = async ({
  databaseUrl,
  databaseTimeoutMs,
  handlers,
  log,
}: ServeOptions): Promise<void> => {
  dieWithParent({ graceMs: 0 })
  const task = await new Promise<RehearsalTask>(resolve => process.once('message', resolve as never))
  const tell = (message: RehearsalMessage): Promise<void> =>
    new Promise(resolve => {
      if (process.send === undefined) resolve()
      else process.send(message, undefined, undefined, () => resolve())
    })
  try {
    const pool = createPool(databaseUrl, 1, databaseTimeoutMs)
    const rehearsals = createRehearsals({
      pool,
      handlers: await handlers(),
      log,
      sensitive: createSensitivePaths(pool),
      onBegan: () => void tell({ kind: 'began' }),
      ...(task.kind === 'run' ? { id: () => task.id } : {}),
    })
    await tell(await done(task, rehearsals))
  } catch (error) {
    await tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
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
  }
}
