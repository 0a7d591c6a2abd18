import { isLeft } from 'fp-ts/lib/Either.js'
import type { BusEvent } from '../../domain/bus-event.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { command } from '../../domain/command/index.ts'
import { commandStream } from '../../domain/command/names.ts'
import { initialState } from '../../domain/command/state.ts'
import { fold } from '../../domain/decider.ts'
import type { FileResult } from '../../domain/workflow-run/events.ts'
import { type Job, openJobs, react, resultsOf } from '../../domain/workflow-run/process.ts'
import type { StartedRun } from '../../domain/workflow-run/state.ts'
import { type PreparedSend, prepareSend, type RetryOptions } from '../commands/send-command.ts'
import { contextOf } from '../commands/transact-commands.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, StreamAppend } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { inLaneOf, type LaneRules } from '../sending/lane-rules.ts'
import { appendOf } from '../shared/transact.ts'

/** The default domain of the workers for files of runs. */
export const WORKFLOW_DOMAIN = 'workflow'
export const FILE_COMMAND = 'ProcessFile'
export const BATCH_COMMAND = 'ProcessBatch'

export interface JobDeps {
  /** The domain of the workers for files. */
  readonly domain: string
  /** The retry policy of jobs; after the last attempt a job fails and is never parked. */
  readonly policy: RetryOptions
  readonly laneRules: LaneRules
  readonly store: EventStore<BusEvent>
  readonly clock: Clock
  readonly ids: Ids
  /** A UUID that is always the same for the same text. */
  readonly derivedId: (text: string) => string
}

/** The command of a job of the present round. */
export interface JobState {
  readonly job: Job
  readonly stream: string
  readonly events: readonly CommandEvent[]
}

const READ_AT_ONCE = 500

/** Jobs of runs as commands. */
export const createRunJobs = ({ domain, policy, laneRules, store, clock, ids, derivedId }: JobDeps) => {
  const commandId = (name: string): string => derivedId(`workflow:${name}`)
  const streamOf = (name: string): string => commandStream({ domain, commandId: commandId(name) })
  const prepare = prepareSend({ clock, ids, policies: new Map() })

  const prepareJobs = async (runId: string, run: StartedRun, actor: string, jobs = openJobs(runId, run)) => {
    const rules = await laneRules(domain)
    return jobs.map(
      (job): PreparedSend =>
        inLaneOf(
          prepare(domain, {
            ...policy,
            // a parked job would keep its run open for ever
            onExhausted: 'fail',
            commandType: run.batchMode ? BATCH_COMMAND : FILE_COMMAND,
            commandId: commandId(job.name),
            data: job.data,
            correlationId: runId,
            causationId: job.name,
            tenantId: run.tenantId,
            actor,
          }),
          rules,
        ),
    )
  }

  return {
    domain,
    commandId,
    prepareJobs,

    /** The jobs as appends, for a log that takes them together with the run's events. */
    appendsOf: (prepared: readonly PreparedSend[]): readonly StreamAppend<BusEvent>[] =>
      prepared.map(({ commandId: id, intent }) => {
        const sent = command.decide(intent, initialState)
        if (isLeft(sent)) throw new Error('a command that does not exist yet can be sent')
        const stream = commandStream({ domain, commandId: id })
        return appendOf(stream, { revision: -1 }, sent.right, contextOf(fold(command, sent.right)), ids)
      }),

    /** The jobs of the present round without an outcome in the run, with the state of their commands. */
    statesOf: async (jobs: readonly Job[]): Promise<readonly JobState[]> => {
      const found: JobState[] = []
      for (let i = 0; i < jobs.length; i += READ_AT_ONCE) {
        const some = jobs.slice(i, i + READ_AT_ONCE)
        const streams = await store.readStreams(some.map(({ name }) => streamOf(name)))
        for (const job of some) {
          const stream = streamOf(job.name)
          found.push({ job, stream, events: (streams.get(stream) ?? []).map(({ event }) => event as CommandEvent) })
        }
      }
      return found
    },

    /** Outcomes of the jobs' commands that the run may not have yet. */
    newsOf: (states: readonly Pick<JobState, 'job' | 'events'>[]) => {
      const results: FileResult[] = []
      let begun = false
      for (const { job, events } of states) {
        for (const event of events) {
          const news = react(event)
          if (news !== null) begun = true
          if (news?.news === 'ended') results.push(...resultsOf(job.files, news))
        }
      }
      return { begun, results }
    },
  }
}

export type RunJobs = ReturnType<typeof createRunJobs>
