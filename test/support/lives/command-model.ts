import type { CommandStatus } from '../../../src/index.ts'

/** What a scripted handler does in an attempt. */
export type Step = 'succeed' | 'stumble' | 'break' | 'refuse'

/** The simplest model of a command: counts and words, no events. */
export interface Modelled {
  status: CommandStatus
  /** What the handler does in attempt 1, 2, ... of the whole life; repeats from the beginning after the last. */
  script: readonly Step[]
  readonly maxAttempts: number
  readonly onExhausted: 'park' | 'fail'
  readonly repliesWanted: boolean
  attempts: number
  offset: number
  total: number
  reason: string | null
  replies: number
}

export interface Model {
  readonly commands: Map<string, Modelled>
}

export const sent = (
  options: Pick<Modelled, 'script' | 'maxAttempts' | 'onExhausted' | 'repliesWanted'>,
): Modelled => ({ ...options, status: 'PENDING', attempts: 0, offset: 0, total: 0, reason: null, replies: 0 })

export const end = (command: Modelled, status: 'COMPLETED' | 'FAILED' | 'CANCELED'): void => {
  command.status = status
  command.reason = null
  if (command.repliesWanted) command.replies++
}

const park = (command: Modelled, reason: string): void => {
  command.status = 'IN_TROUBLESHOOTING_QUEUE'
  command.reason = reason
}

/** A worker processes the command until it ends or is parked. */
export const workOff = (command: Modelled): void => {
  while (command.status === 'PENDING') {
    command.attempts++
    const step = command.script[command.total++ % command.script.length]
    if (step === 'succeed') end(command, 'COMPLETED')
    else if (step === 'refuse') end(command, 'FAILED')
    else if (step === 'break') giveUp(command, 'PERMANENT')
    else if (command.attempts >= Math.max(command.maxAttempts, command.offset + 1)) giveUp(command, 'EXHAUSTED')
  }
}

const giveUp = (command: Modelled, reason: string): void => {
  if (command.onExhausted === 'fail') end(command, 'FAILED')
  else park(command, reason)
}

export const retry = (command: Modelled, reset: boolean, script?: readonly Step[]): void => {
  command.status = 'PENDING'
  command.reason = null
  command.offset = reset ? 0 : command.attempts
  command.attempts = command.offset
  if (script !== undefined) command.script = script
}
