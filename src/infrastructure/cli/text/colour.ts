import { styleText } from 'node:util'
import type { CommandStatus } from '../../../domain/command/transitions.ts'

type Style = Parameters<typeof styleText>[0]

const styles: Readonly<Record<CommandStatus, Style>> = {
  PENDING: 'yellow',
  IN_PROGRESS: 'cyan',
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELED: 'gray',
  IN_TROUBLESHOOTING_QUEUE: 'magenta',
}

const words = new RegExp(`\\b(${Object.keys(styles).join('|')})\\b`, 'g')

/** The words of a status in colours, where the stream is a terminal; NO_COLOR and FORCE_COLOR are obeyed. */
export const coloured = (text: string, stream: NodeJS.WritableStream = process.stdout): string =>
  text.replace(words, word => styleText(styles[word as CommandStatus], word, { stream }))
