import type { ClientBase } from 'pg'
import type { WorkItem } from '../../../application/commands/work-message.ts'
import { handledCommand } from '../../../application/ports/handled-command.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { HandlerContext } from './handler.ts'

export interface ContextDeps {
  readonly log: Log
  readonly extend: (job: WorkItem, ms: number) => Promise<void>
}

/** Whose signal the handler gets: made on first use, as most handlers never use it. */
export interface Abortable {
  readonly signal: () => AbortSignal
}

/** A class, because getters on a fresh literal are slow to make. */
export class JobContext implements HandlerContext<unknown> {
  readonly command: HandlerContext<unknown>['command']
  readonly attempt: number
  readonly maxAttempts: number
  readonly totalAttempts: number
  readonly log: Log
  readonly rehearsal = false
  readonly extendVisibility: (seconds: number) => Promise<void>
  readonly #attempt: Abortable
  readonly #client: ClientBase | null

  constructor(deps: ContextDeps, job: WorkItem, data: unknown, attempt: Abortable, client: ClientBase | null) {
    const { sent, totalAttempts } = job.command
    this.command = handledCommand(job.key, sent, data)
    this.attempt = job.attempt
    this.maxAttempts = job.maxAttempts
    this.totalAttempts = totalAttempts
    this.log = deps.log
    this.extendVisibility = seconds => deps.extend(job, seconds * 1000)
    this.#attempt = attempt
    this.#client = client
  }

  get signal(): AbortSignal {
    return this.#attempt.signal()
  }

  get client(): ClientBase {
    if (this.#client !== null) return this.#client
    const { commandType } = this.command
    throw new Error(`context.client needs transactional: true; set it on the handler of '${commandType}'`)
  }
}
