import type { CommandError, ErrorCause } from '../../../domain/command/events.ts'
import { plain } from './output.ts'

/** The stacks of an error and of its causes, as lines; none if they were not recorded. */
export const traceLines = ({ stack, causes = [] }: Pick<CommandError, 'stack' | 'causes'>): readonly string[] => [
  ...linesOf(stack),
  ...causes.flatMap(causeLines),
]

const causeLines = ({ kind, depth, code, message, stack }: ErrorCause): readonly string[] =>
  [`${kind} ${code}: ${plain(message)}`, ...linesOf(stack).slice(1)].map(line => `${'  '.repeat(depth)}${line}`)

const linesOf = (text: string | undefined): readonly string[] => text?.split('\n').map(plain) ?? []
