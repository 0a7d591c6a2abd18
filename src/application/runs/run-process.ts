import { isLeft } from 'fp-ts/lib/Either.js'
import type { CommandEvent } from '../../domain/command/events.ts'
import { parseCommandStream } from '../../domain/command/names.ts'
import { credits } from '../../domain/credits/index.ts'
import { decideAll } from '../../domain/decider.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { FileResult } from '../../domain/workflow-run/events.ts'
import { workflowRun } from '../../domain/workflow-run/index.ts'
import { parseJobName } from '../../domain/workflow-run/names.ts'
import { piecesOf } from '../../domain/workflow-run/pieces.ts'
import { openJobs, react, resultsOf, resume } from '../../domain/workflow-run/process.ts'
import { isOpen, type StartedRun } from '../../domain/workflow-run/state.ts'
import { isActive } from '../../domain/workflow-run/status.ts'
import { type PreparedSend, sendPrepared } from '../commands/send-command.ts'
import type { TransactCommands } from '../commands/transact-commands.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { OrphanCharge } from '../ports/reading/workflow-queries.ts'
import { CommandBusError, ContentionError } from '../shared/errors.ts'
import { creditsRefusal } from './run-errors.ts'
import type { JobState, RunJobs } from './run-jobs.ts'
import { createRunTurn, RUNNER } from './run-settle.ts'
import type { WorkflowStore } from './workflow-store.ts'

export interface RunProcessDeps {
  readonly workflows: WorkflowStore
  readonly jobs: RunJobs
  readonly transact: TransactCommands
  readonly clock: Clock
  readonly log: Log
  /** Whether the log or the database cannot be reached now, so that the work can be tried again later. */
  readonly isAway: (error: unknown) => boolean
}

const SENT_AT_ONCE = 1000

/** Turns the events of jobs into results of runs, and completes what a crash interrupted. */
export const createRunProcess = (deps: RunProcessDeps) => {
  const { workflows, jobs, transact, clock, log } = deps
  const turn = createRunTurn({ workflows, clock })
  const by = () => ({ at: clock.now().toISOString(), actor: RUNNER })
  const send = sendPrepared(transact)

  /** Records outcomes that a run may not have yet. Known outcomes, and those of earlier rounds, change nothing. */
  const note = async (
    runId: string,
    round: number,
    news: { readonly begun: boolean; readonly results: readonly FileResult[] },
  ): Promise<void> => {
    // long errors are recorded in several events, because one event could be too large for the log
    for (const results of piecesOf(news.results)) await turn(runId, [{ ...by(), type: 'NoteResults', round, results }])
    if (news.begun && news.results.length === 0) await turn(runId, [{ ...by(), type: 'Begin', round }])
  }

  /** Sends jobs; sent twice, each is on the queue once. */
  const sendJobs = async (prepared: readonly PreparedSend[]): Promise<void> => {
    for (let i = 0; i < prepared.length; i += SENT_AT_ONCE) await send(prepared.slice(i, i + SENT_AT_ONCE))
  }

  /** Cancels jobs that no worker has begun; the others run to their end. */
  const withdraw = async (states: readonly JobState[], reason: string): Promise<void> => {
    const sent = states.filter(({ events }) => events.length > 0)
    await transact(sent.map(({ stream }) => ({ stream, intents: [{ ...by(), type: 'Cancel' as const, reason }] })))
  }

  /** Undoes a round: resets its files and refunds the charge. An error on the way is only logged. */
  const undo = async (runId: string, round: number, error: unknown): Promise<void> => {
    const { code, message } = error instanceof CommandBusError ? error : { code: 'NOT_QUEUED', message: String(error) }
    try {
      const { state } = await workflows.loadRun(runId)
      const open = state.status === 'NONE' || state.round !== round ? [] : openJobs(runId, state)
      let run: StartedRun
      do run = await turn(runId, [{ ...by(), type: 'FailDispatch', round, code, message }])
      while (run.round === round && isActive(run.status) && isOpen(run))
      await withdraw(await jobs.statesOf(open), 'the run could not be queued')
    } catch (second) {
      log.error(
        { err: second, runId, round },
        'a round that could not be queued is not undone yet; another try follows',
      )
    }
  }

  /** Sends the open jobs of a run, for a log that cannot append them together with the run's events. */
  const dispatch = async (runId: string, run: StartedRun): Promise<void> => {
    try {
      await sendJobs(await jobs.prepareJobs(runId, run, RUNNER))
    } catch (error) {
      if (deps.isAway(error)) {
        log.warn({ err: error, runId, round: run.round }, 'jobs are not queued yet; they will be')
        return
      }
      await undo(runId, run.round, error)
      throw error
    }
  }

  const resumeRun = async (runId: string): Promise<void> => {
    const { state } = await workflows.loadRun(runId)
    if (state.status === 'NONE') return
    const owed = resume(runId, state)
    const states = await jobs.statesOf(owed.jobs)
    const missing = states.filter(({ events }) => events.length === 0)
    if (owed.withdraw) {
      await withdraw(states, 'the run was cancelled')
      const never = missing.flatMap(({ job }) =>
        job.files.map((index): FileResult => ({ index, outcome: 'cancelled', errorCode: null, errorMessage: null })),
      )
      const news = jobs.newsOf(await jobs.statesOf(owed.jobs))
      await note(runId, state.round, { ...news, results: [...news.results, ...never] })
    } else {
      await note(runId, state.round, jobs.newsOf(states))
      if (missing.length > 0) {
        const prepared = await jobs.prepareJobs(
          runId,
          state,
          RUNNER,
          missing.map(({ job }) => job),
        )
        try {
          await sendJobs(prepared)
        } catch (error) {
          if (deps.isAway(error)) throw error
          await undo(runId, state.round, error)
        }
      }
    }
    if (owed.refunds.length > 0) await turn(runId, [])
  }

  /** Keeps a failure of one run from the other runs; if the log or database is away, the caller tries again. */
  const isolated = async (runId: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (deps.isAway(error) || error instanceof ContentionError) throw error
      log.error({ err: error, runId }, 'a workflow run cannot go on')
    }
  }

  return {
    turn,
    dispatch,

    /** Completes what a run's state still requires. Any process may call it, at any time and repeatedly. */
    resume: resumeRun,
    /** The same for one of many. */
    resumeIsolated: (runId: string) => isolated(runId, () => resumeRun(runId)),

    /** Records the outcomes of jobs from a page of the feed, run by run. */
    handle: async (events: readonly Recorded<CommandEvent>[]): Promise<void> => {
      interface News {
        begun: boolean
        readonly jobs: Map<string, { readonly event: CommandEvent; readonly index: number | null }[]>
      }
      const runs = new Map<string, Map<number, News>>()
      for (const { stream, context, event } of events) {
        const key = parseCommandStream(stream)
        const name = context.causationId
        const job = name === null || key?.domain !== jobs.domain ? null : parseJobName(name)
        const news = job === null ? null : react(event)
        // any sender may name a job as the cause; only the job's own command has its id
        if (job === null || news === null || key?.commandId !== jobs.commandId(name as string)) continue
        const rounds = runs.get(job.runId) ?? new Map<number, News>()
        runs.set(job.runId, rounds)
        const of = rounds.get(job.round) ?? { begun: false, jobs: new Map() }
        rounds.set(job.round, of)
        of.begun = true
        if (news.news === 'ended') {
          of.jobs.set(name as string, [...(of.jobs.get(name as string) ?? []), { event, index: job.index }])
        }
      }
      await Promise.all(
        [...runs].map(([runId, rounds]) =>
          isolated(runId, async () => {
            const { state } = await workflows.loadRun(runId)
            if (state.status === 'NONE' || !isOpen(state)) return
            const news = rounds.get(state.round)
            if (news === undefined) return
            const batch = state.files.flatMap((file, index) => (file.open ? [index] : []))
            const results = [...news.jobs.values()].flat().flatMap(({ event, index }) => {
              const ended = react(event)
              return ended?.news === 'ended' ? resultsOf(index === null ? batch : [index], ended) : []
            })
            await note(runId, state.round, { begun: news.begun, results })
          }),
        ),
      )
    },

    /** Refunds a charge that no run has claimed, when it is certain that none will. */
    giveBack: async ({ tenantId, runId, chargeId, amount }: OrphanCharge): Promise<void> => {
      const claimed = await workflows.together(async () => {
        const loaded = await workflows.loadRun(runId)
        const decided = decideAll(workflowRun, [{ ...by(), type: 'AbandonCharge', chargeId }], loaded.state)
        return isLeft(decided)
          ? { appends: [], answer: true }
          : { appends: workflows.ofRun(runId, tenantId, loaded, decided.right.events), answer: false }
      })
      if (claimed) return
      await workflows.together(async () => {
        const account = await workflows.loadCredits(tenantId)
        const reason = 'charged for a run that did not begin'
        const decided = credits.decide({ ...by(), type: 'Refund', chargeId, amount, reason }, account.state)
        if (isLeft(decided)) throw creditsRefusal(decided.left)
        return { appends: workflows.ofCredits(tenantId, account, decided.right), answer: null }
      })
    },
  }
}

export type RunProcess = ReturnType<typeof createRunProcess>
