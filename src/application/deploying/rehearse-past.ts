import type {
  ModuleHandler,
  PastClass,
  PastCommands,
  PastFilter,
  PastHistory,
  RehearsalSession,
} from '../ports/deploying.ts'
import type { RehearsalAnswer, RehearsalRequest } from '../ports/rehearsals.ts'
import { type AttemptOutcome, outcomeOf } from './attempt-outcome.ts'
import { type Comparison, compareAttempts, type IgnoredPath } from './compare-attempts.ts'
import { fairShares } from './fair-share.ts'
import { pastAttempt } from './past-attempt.ts'
import type { createReport } from './rehearsal-report.ts'

export interface RehearsePastOptions extends PastFilter {
  /** The most commands. */
  readonly limit: number
  /** How long each handler may take, in milliseconds. */
  readonly timeoutMs: number
  readonly ignored: readonly IgnoredPath[]
}

export interface RehearsePastDeps {
  readonly past: PastCommands
  readonly handlers: readonly ModuleHandler[]
  /** Each rehearses one command at a time. */
  readonly sessions: readonly Sessions[]
  readonly report: ReturnType<typeof createReport>
  readonly onFound?: (count: number) => void
  readonly onDone?: () => void
}

export interface Sessions {
  readonly next: Pick<RehearsalSession, 'run'>
  /** Of the handlers to compare with; missing: with what the log says. */
  readonly against?: Pick<RehearsalSession, 'run'>
}

/** Histories are read so many at a time. */
const PAGE = 50

/** After so many handlers of a type that did not end, or took their process down, the rest of the type is not tried. */
const MOST_LOST = 5

/**
 * Runs handlers on past commands as their last attempt was, in transactions that are rolled back, and reports how they end now.
 * Returns how many commands there are in all.
 */
export const rehearsePast = async (deps: RehearsePastDeps, options: RehearsePastOptions): Promise<number> => {
  const { past, report, sessions } = deps
  const classes = await past.classes(options)
  const [refused, open] = [
    classes.filter(one => refusalOf(deps, one) !== null),
    classes.filter(one => refusalOf(deps, one) === null),
  ]
  for (const one of refused) report.skipType(one, one.count, refusalOf(deps, one) ?? '')
  const shares = fairShares(
    open.map(({ count }) => count),
    options.limit,
  )
  const commands = await past.newest(
    options,
    open.map((one, i) => ({ ...one, take: shares[i] ?? 0 })),
  )
  deps.onFound?.(commands.length)
  const lost = new Map<string, number>()
  for (let i = 0; i < commands.length; i += PAGE) {
    const waiting = [...(await past.histories(commands.slice(i, i + PAGE)))]
    const work = async (on: Sessions): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await rehearseOne(on, next, options, report, lost)
        deps.onDone?.()
      }
    }
    await Promise.all(sessions.map(work))
  }
  return open.reduce((sum, { count }) => sum + count, 0)
}

/** Types without a handler are rehearsed: they are found to be parked. */
const refusalOf = (
  { handlers }: Pick<RehearsePastDeps, 'handlers'>,
  { domain, commandType }: PastClass,
): string | null => {
  const own = handlers.filter(one => one.domain === domain)
  const handler = own.find(one => one.commandType === commandType) ?? own.find(one => one.commandType === '*')
  return handler?.refusal ?? null
}

const rehearseOne = async (
  { next, against }: Sessions,
  { command, events, sent }: PastHistory,
  { timeoutMs: deadlineMs, ignored }: RehearsePastOptions,
  report: RehearsePastDeps['report'],
  lost: Map<string, number>,
): Promise<void> => {
  const type = `${command.domain} ${command.commandType}`
  const attempt = pastAttempt(command, events)
  if (events.length === 0) return report.skip(command, 'the history of some is archived')
  if (attempt === null) return report.skip(command, 'no attempt of some has ended')
  if ((lost.get(type) ?? 0) >= MOST_LOST) {
    return report.skip(
      command,
      `${MOST_LOST} of this type did not end, or took their process down: the rest was not tried`,
    )
  }
  const request: RehearsalRequest = {
    ...attempt.request,
    deadlineMs,
    ...(sent === undefined ? {} : { withSent: true }),
  }
  const base = against === undefined ? null : await steady(against, request, () => false)
  if (base?.kind === 'refused') return report.skip(command, base.why)
  const before: AttemptOutcome = base === null ? withSent(attempt.outcome, sent) : outcomeOf(base)
  const compared = (ran: Ran): Comparison => compareAttempts(before, outcomeOf(ran), ignored)
  const answer = await steady(next, request, ran => compared(ran).verdict === 'same')
  if (answer.kind === 'refused') return report.skip(command, answer.why)
  if (answer.kind === 'timeout' || answer.kind === 'crashed') lost.set(type, (lost.get(type) ?? 0) + 1)
  const comparison = compared(answer)
  report.add(command, comparison, before, outcomeOf(answer), answer.durationMs)
}

/** Once more after a failure that is not expected and may pass: a worker would try again, too. */
const steady = async (
  session: Pick<RehearsalSession, 'run'>,
  request: RehearsalRequest,
  isExpected: (ran: Ran) => boolean,
): Promise<RehearsalAnswer> => {
  const answer = await session.run(request)
  return answer.kind === 'refused' || !mayPass(answer) || isExpected(answer) ? answer : session.run(request)
}

type Ran = Exclude<RehearsalAnswer, { kind: 'refused' }>

/** A lock of somebody else, or what an earlier handler has left behind in the process. */
const mayPass = (answer: Ran): boolean =>
  answer.kind === 'crashed' || (answer.kind === 'failed' && answer.error.type === 'TRANSIENT')

const withSent = (outcome: AttemptOutcome, sent: PastHistory['sent']): AttemptOutcome =>
  outcome.kind === 'succeeded' && sent !== undefined ? { ...outcome, sent } : outcome
