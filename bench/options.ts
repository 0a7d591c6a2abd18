import { parseArgs } from 'node:util'
import { type Work, works } from './work.ts'

export class UsageError extends Error {}

/** What the command line asks for. Numbers that each mode has a default of its own for are left out unless given. */
export type Options = {
  /** Undefined: the works of the benchmark. */
  readonly mode: string | undefined
  readonly works: readonly Work[]
  readonly quick: boolean
  readonly commands: number | undefined
  readonly events: number | undefined
  readonly rounds: number
  readonly out: string
  readonly rate: number
  readonly senders: number
  readonly seconds: number
  readonly json: boolean
  readonly check: boolean
  readonly help: boolean
}

const parse = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        commands: { type: 'string' },
        events: { type: 'string' },
        rounds: { type: 'string' },
        senders: { type: 'string' },
        seconds: { type: 'string' },
        rate: { type: 'string' },
        out: { type: 'string', default: 'dist-bench/profiles' },
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const positive = <Otherwise>(name: string, text: string | undefined, otherwise: Otherwise): number | Otherwise => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} must be a whole number above 0, not ${text}`)
  return value
}

/** @throws UsageError when it names a mode or an option that there is not. */
export const readOptions = (modes: readonly string[]): Options => {
  const { values, positionals } = parse()
  const named = works.filter(work => positionals.includes(work))
  const words = positionals.filter(word => !works.some(work => work === word))
  const unknown = words.find(word => !modes.includes(word))
  if (unknown !== undefined) throw new UsageError(`${unknown} is not a mode; there are only: ${modes.join(', ')}`)
  if (named.length > 0 && !words.includes('profile'))
    throw new UsageError(`${named[0]} can be chosen for a profile only: npm run bench -- profile ${named[0]}`)
  return {
    mode: words.find(word => word !== 'quick'),
    works: named.length > 0 ? named : works,
    quick: words.includes('quick'),
    commands: positive('commands', values.commands, undefined),
    events: positive('events', values.events, undefined),
    rounds: positive('rounds', values.rounds, 3),
    out: values.out,
    rate: positive('rate', values.rate, 1_000),
    senders: positive('senders', values.senders, 200),
    seconds: positive('seconds', values.seconds, 30),
    json: values.json,
    check: values.check,
    help: values.help,
  }
}

/** Commands of one measurement. */
export const commandsOf = ({ commands, quick }: Options): number => commands ?? (quick ? 5_000 : 20_000)
