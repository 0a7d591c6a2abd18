import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { FeedEvent } from '../application/ports/event-feed.ts'
import { parseReply, type Reply } from '../application/replies/reply.ts'
import type { CommandEvent } from '../domain/command/events.ts'
import { commandStream } from '../domain/command/names.ts'
import { type CommandStatus, isFinal } from '../domain/command/transitions.ts'
import { payloadOf } from './memory/command-views.ts'
import type { Queues } from './memory/queues.ts'
import type { StoredRow, Tables } from './memory/tables.ts'

/** What must hold for a command now. Each throws an AssertionError that tells what happened to the command. */
export interface Expectations {
  /** It is COMPLETED. @param result what its handler returned, or an operator gave; left out: anything */
  readonly toBeCompleted: (result?: unknown) => Expectations
  /** It ended FAILED: by a business rule, or because its policy is `onExhausted: 'fail'`. */
  readonly toBeFailed: (errorCode?: string) => Expectations
  /** It is in troubleshooting, and waits for an operator. */
  readonly toBeParked: (errorCode?: string) => Expectations
  /** By its sender, by an operator, or because it expired. */
  readonly toBeCanceled: () => Expectations
  /** It waits for a worker, now or later. */
  readonly toBePending: () => Expectations
  /** A worker has it now. */
  readonly toBeInProgress: () => Expectations
  /** All attempts of its life, with those of earlier rounds. */
  readonly toHaveAttempts: (count: number) => Expectations
  /** The last error, also of a command that is tried again. */
  readonly toHaveError: (errorCode: string) => Expectations
  /** Its present payload. */
  readonly toHaveData: (data: unknown) => Expectations
  /** The types of all its events, in their order. */
  readonly toHaveEvents: (types: readonly CommandEvent['type'][]) => Expectations
  /** Exactly one reply lies on its reply queue, and these members of it are so. */
  readonly toHaveReplied: (reply?: Partial<Reply>) => Expectations
  /** No reply has been sent. */
  readonly toHaveNoReply: () => Expectations
}

export interface ExpectationDeps {
  readonly tables: Tables
  readonly queues: Queues
  readonly eventsOf: (stream: string) => readonly FeedEvent<CommandEvent>[]
}

/** Makes expectations about one command, in whichever domain it is. */
export const createExpect =
  ({ tables, queues, eventsOf }: ExpectationDeps) =>
  (commandId: string): Expectations => {
    const rowOf = (): StoredRow => {
      const row = [...tables.commands.values()].find(one => one.command_id === commandId.toLowerCase())
      if (row === undefined) throw fault(`command ${commandId} to be there, but it was never sent`, null, commandId)
      return row
    }
    const events = (row: StoredRow): readonly CommandEvent[] =>
      eventsOf(commandStream({ domain: row.domain, commandId: row.command_id })).map(({ event }) => event)
    const replies = ({ reply_queue: queue, command_id }: StoredRow): readonly Reply[] =>
      queue === null
        ? []
        : queues.messages(queue).flatMap(({ text }) => {
            const reply = parseReply(JSON.parse(text))
            return reply?.commandId === command_id ? [reply] : []
          })
    const fail = (row: StoredRow, wanted: string, actual: unknown, expected: unknown): never => {
      const story = events(row).map(storyOf).join('\n  ')
      throw fault(`${nameOf(row)} ${wanted}. It is ${row.status}:\n  ${story}`, actual, expected)
    }
    const same = (row: StoredRow, what: string, actual: unknown, expected: unknown): void => {
      if (!isDeepStrictEqual(actual, expected))
        fail(row, `to have ${what} ${inspect(expected)}, but it has ${inspect(actual)}`, actual, expected)
    }
    const inStatus = (row: StoredRow, status: CommandStatus): void => {
      if (row.status !== status) fail(row, `to be ${status}`, row.status, status)
    }
    const checks = {
      toBeCompleted: (row: StoredRow, ...[result]: readonly [unknown?]) => {
        inStatus(row, 'COMPLETED')
        if (result === undefined) return
        const last = events(row).find(isFinal)
        const actual = last !== undefined && 'result' in last ? last.result : Object(last).resultData
        same(row, 'the result', actual, result)
      },
      toBeFailed: (row: StoredRow, errorCode?: string) => {
        inStatus(row, 'FAILED')
        if (errorCode !== undefined) same(row, 'the error', row.last_error_code, errorCode)
      },
      toBeParked: (row: StoredRow, errorCode?: string) => {
        inStatus(row, 'IN_TROUBLESHOOTING_QUEUE')
        if (errorCode !== undefined) same(row, 'the error', row.last_error_code, errorCode)
      },
      toBeCanceled: (row: StoredRow) => inStatus(row, 'CANCELED'),
      toBePending: (row: StoredRow) => inStatus(row, 'PENDING'),
      toBeInProgress: (row: StoredRow) => inStatus(row, 'IN_PROGRESS'),
      toHaveAttempts: (row: StoredRow, count: number) => same(row, 'attempts', row.total_attempts, count),
      toHaveError: (row: StoredRow, errorCode: string) => same(row, 'the error', row.last_error_code, errorCode),
      toHaveData: (row: StoredRow, data: unknown) => same(row, 'the payload', payloadOf(row, events(row)), data),
      toHaveEvents: (row: StoredRow, types: readonly string[]) =>
        same(
          row,
          'the events',
          events(row).map(({ type }) => type),
          types,
        ),
      toHaveReplied: (row: StoredRow, wanted: Partial<Reply> = {}) => {
        const found = replies(row)
        same(row, 'replies', found.length, 1)
        const names = Object.keys(wanted)
        same(row, 'a reply with', Object.fromEntries(names.map(name => [name, Object(found[0])[name]])), wanted)
      },
      toHaveNoReply: (row: StoredRow) => same(row, 'replies', replies(row).length, 0),
    }
    const expectations: Expectations = Object.fromEntries(
      Object.entries<(row: StoredRow, ...args: never[]) => void>(checks).map(([name, check]) => [
        name,
        (...args: never[]) => {
          check(rowOf(), ...args)
          return expectations
        },
      ]),
    ) as unknown as Expectations
    return expectations
  }

const nameOf = ({ domain, command_type, command_id }: StoredRow): string => `${domain} ${command_type} ${command_id}`

const storyOf = (event: CommandEvent): string => {
  const { at, actor, type } = event
  const why = 'error' in event ? `: ${event.error.code} ${event.error.message}` : ''
  return `${at} ${type} by ${actor}${why}`
}

const fault = (message: string, actual: unknown, expected: unknown): AssertionError => {
  const error = new AssertionError({ message: `expected ${message}`, actual, expected, operator: 'expect' })
  return error
}
