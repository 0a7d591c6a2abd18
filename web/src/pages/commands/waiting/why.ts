import type { Answer, Command, Pause } from '../../../api/client.ts'
import { ago } from '../../../components/Time.tsx'

/** Why a pending command is not running yet. */
export interface Why {
  readonly kind: 'paused' | 'retry' | 'scheduled' | 'lane' | 'noWorker' | 'ready'
  /** One or two words, for lists. */
  readonly short: string
  /** When it can run at the earliest; null: now, or nobody knows. */
  readonly at: string | null
}

type Waiting = Pick<Command, 'domain' | 'commandType' | 'tenantId' | 'nextAttemptAt' | 'runAt' | 'lane'>

/** The pause that keeps workers from beginning a command. */
export const pauseOf = (command: Waiting, pauses: readonly Pause[]): Pause | undefined =>
  pauses.find(
    ({ domain, commandType, tenantId }) =>
      domain === command.domain &&
      (commandType === null || commandType === command.commandType) &&
      (tenantId === null || tenantId === command.tenantId),
  )

const isAhead = (at: string | null, now: number): at is string => at !== null && Date.parse(at) > now

export type Unhandled = Answer<'listMissingWorkers'>['items'][number]

interface Around {
  readonly pauses: readonly Pause[]
  /** What no worker is there for. */
  readonly unhandled: readonly Unhandled[]
  /** Whether it waits in its lane. */
  readonly inLane: boolean
  readonly now: number
}

export const whyPending = (command: Waiting, { pauses, unhandled, inLane, now }: Around): Why => {
  const { nextAttemptAt, runAt, lane } = command
  if (pauseOf(command, pauses) !== undefined) return { kind: 'paused', short: 'paused', at: null }
  if (isAhead(nextAttemptAt, now)) {
    return { kind: 'retry', short: `next try ${ago(now - Date.parse(nextAttemptAt))}`, at: nextAttemptAt }
  }
  if (isAhead(runAt, now)) return { kind: 'scheduled', short: `runs ${ago(now - Date.parse(runAt))}`, at: runAt }
  if (inLane && lane !== null) return { kind: 'lane', short: `in lane ${lane}`, at: null }
  return isUnhandled(command, unhandled)
    ? { kind: 'noWorker', short: 'no worker', at: null }
    : { kind: 'ready', short: 'ready', at: null }
}

const isUnhandled = ({ domain, commandType }: Waiting, unhandled: readonly Unhandled[]): boolean =>
  unhandled.some(one => one.domain === domain && (one.commandType === null || one.commandType === commandType))
